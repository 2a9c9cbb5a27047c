package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gomod "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// tree is a copy of what is committed or about to be.
func tree(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	cmd.Dir = "../.."
	list, err := cmd.Output()
	if err != nil {
		t.Skipf("no git: %v", err)
	}
	root := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			continue // deleted
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestInstall makes a module proxy of the tree, and installs the command from it as
// `go install MODULE/cmd/expressway@VERSION` does.
func TestInstall(t *testing.T) {
	t.Parallel()
	if os.Getenv("CI") == "" {
		t.Skip("builds everything again; `make ci` does")
	}
	const version = "v0.0.1"
	path := "github.com/expressway-dev/expressway"
	proxy := filepath.Join(t.TempDir(), "proxy")
	dir := filepath.Join(proxy, path, "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": version + "\n", version + ".info": `{"Version":"` + version + `"}`, version + ".mod": string(mod)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.CreateFromDir(archive, gomod.Version{Path: path, Version: version}, tree(t)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	modules := filepath.Join(t.TempDir(), "modules")
	cmd := exec.CommandContext(t.Context(), "go", "install", path+"/cmd/expressway@"+version)
	cmd.Dir = t.TempDir()
	// With -trimpath, what the other builds compiled need not be compiled again.
	cmd.Env = append(os.Environ(),
		"GOBIN="+bin, "GOMODCACHE="+modules, "GOFLAGS=-modcacherw -trimpath", "GONOSUMDB=*", "GONOSUMCHECK=1", "GOSUMDB=off", "CGO_ENABLED=0",
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(strings.TrimSpace(string(cache)), "cache", "download"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "expressway"), "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "expressway "+version) {
		t.Errorf("%v: %s", err, out)
	}
}
