// Package checkout finds the folder of the module and builds its functions, for tests and
// benchmarks.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Root returns the folder of go.mod: the working directory or the nearest one above it.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find module: no go.mod in the working directory or above")
		}
		dir = filepath.Dir(dir)
	}
}

// Build builds a main package of the module, named by its path below [Root], for an
// operating system and an architecture of Go. It writes dir/bootstrap, as
// `make build-WebhookFunction` does.
//
// The binaries stay in bin/bootstraps of the module, where the go command finds out that
// they are up to date: the packages that test the same function link it once.
func Build(ctx context.Context, pkg, goos, goarch, dir string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	binary := filepath.Join(root, "bin", "bootstraps", goos+"_"+goarch, pkg, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary, "./"+pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	if err := place(binary, filepath.Join(dir, "bootstrap")); err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	return nil
}

// place links or copies a file that another process may replace at any time.
func place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // a task root, readable as on Lambda
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from) // on another file system
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755) //nolint:gosec // it is to be run
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
