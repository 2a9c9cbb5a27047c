package dist

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A build is one binary.
type build struct {
	// Root is the folder of the module, and Package the package's path in it.
	Root, Package string
	OS, Arch      string
	// Function is set for a Lambda function, which is built without the RPC mode that
	// provided.al2023 does not have.
	Function bool
	// Version and Commit are written into the binary; they may be empty.
	Version, Commit string
	// Overlay is a file of `go build -overlay`; it may be empty.
	Overlay string
	// Tags are build tags in addition to those of a function.
	Tags []string
}

// Binary builds, and returns the file's contents.
func (b build) Binary(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "expressway-build")
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", b.Package, err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "binary")
	// -buildvcs=false: the state of the checkout must not change the build; the version
	// identifies it.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", strings.Join(b.tags(), ","), "-ldflags", b.ldflags(), "-o", out}
	if b.Overlay != "" {
		args = append(args, "-overlay", b.Overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, b.Package)...)
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOOS="+b.OS, "GOARCH="+b.Arch, "GOAMD64=v1", "GOARM64=v8.0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s for %s/%s: %w\n%s", b.Package, b.OS, b.Arch, err, text)
	}
	binary, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", b.Package, err)
	}
	return binary, nil
}

func (b build) tags() []string {
	tags := slices.Clone(b.Tags)
	if b.Function {
		tags = append(tags, "lambda.norpc")
	}
	return tags
}

func (b build) ldflags() string {
	flags := "-s -w -buildid="
	for _, v := range [][2]string{{"release", b.Version}, {"commit", b.Commit}} {
		if v[1] != "" {
			flags += " -X " + module + "/internal/version." + v[0] + "=" + v[1]
		}
	}
	return flags
}

// Layer builds the layer for an architecture of Go: bootstrap, which Lambda finds in
// /opt.
func Layer(ctx context.Context, root, arch, version string) ([]byte, error) {
	binary, err := build{Root: root, Package: "./functions/layer", OS: "linux", Arch: arch, Function: true, Version: version}.Binary(ctx)
	if err != nil {
		return nil, err
	}
	return zipped(file{"bootstrap", 0o755, binary})
}
