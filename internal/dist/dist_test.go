package dist

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func TestZipIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	files := []file{{"bootstrap", 0o755, bytes.Repeat([]byte("x"), 1000)}, {"a/b", 0o644, []byte("y")}}
	first, err := zipped(files...)
	if err != nil {
		t.Fatal(err)
	}
	second, err := zipped(files...)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two archives differ: %v", err)
	}
	r, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.File[0].Mode(); got != 0o755 {
		t.Errorf("bootstrap has the mode %v, and Lambda could not run it", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := []file{{"a.zip", 0o644, []byte("a")}, {"b.zip", 0o644, []byte("b")}}
	for _, f := range append(files, file{"SHA256SUMS", 0o644, sums(files)}) {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify(dir); err != nil {
		t.Fatal(err)
	}
	if tool, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.CommandContext(t.Context(), tool, "--check", "--strict", "SHA256SUMS")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("sha256sum: %v: %s", err, out)
		}
	}
	for name, data := range map[string]string{"b.zip": "c", "c.zip": "new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := verify(dir)
	for _, want := range []string{"b.zip does not match SHA256SUMS", "c.zip is not in SHA256SUMS"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// hostLayer is a function's binary for this machine.
func hostLayer(ctx context.Context, root string) ([]byte, error) {
	return build{Root: root, Package: "./functions/layer", OS: "linux", Arch: runtime.GOARCH, Function: true, Version: "v0.0.0-test", Commit: "abc"}.Binary(ctx)
}

// TestBillOfMaterials checks that it lists exactly what `go version -m` lists.
func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	binary, err := hostLayer(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	var i inventory
	if err := i.read("layer.zip", binary); err != nil {
		t.Fatal(err)
	}
	text, err := i.sbom("v0.0.0-test")
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.sbom("v0.0.0-test")
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("two bills differ: %v", err)
	}
	var bom cdx.BOM
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range *bom.Components {
		if c.Type == cdx.ComponentTypeLibrary && c.Name != "std" {
			got = append(got, c.Name+" "+c.Version)
		}
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			want = append(want, f[1]+" "+f[2])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the bill lists\n%s\ngo version -m\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// copyFolder copies a folder without what npm has installed there.
func copyFolder(t *testing.T, to, from string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReproducible builds the layer, and the command with the layer in it, in two
// folders, and compares every byte.
func TestReproducible(t *testing.T) {
	t.Parallel()
	if os.Getenv("CI") == "" {
		t.Skip("builds everything again; `make ci` does")
	}
	other := filepath.Join(t.TempDir(), "elsewhere")
	for _, dir := range []string{"cmd", "deploy", "functions", "internal", "pkg"} {
		copyFolder(t, filepath.Join(other, dir), filepath.Join("../..", dir))
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The race detector makes compression slow: the compared files are not packed, except
	// for the layers, which the command contains. Equal files make equal zips.
	layers := &Release{Version: "v0.0.0-test"}
	var made [2][]file
	for i, root := range []string{"../..", other} {
		r := &Release{Root: root, Version: layers.Version, Commit: "abc"}
		for _, arch := range []string{"arm64", "amd64"} {
			for _, name := range functionNames() {
				binary, err := r.function(t.Context(), name, arch)
				if err == nil && name == "layer" && i == 0 {
					err = layers.pack(name, arch, binary)
				}
				if err != nil {
					t.Fatal(err)
				}
				made[i] = append(made[i], file{name + " for " + arch, 0o755, binary})
			}
		}
		r.artifacts = layers.artifacts
		overlay, clean, err := r.overlay()
		if err != nil {
			t.Fatal(err)
		}
		binary, err := build{Root: root, Package: "./cmd/expressway", OS: runtime.GOOS, Arch: runtime.GOARCH, Version: r.Version, Commit: r.Commit, Tags: []string{"release"}, Overlay: overlay}.Binary(t.Context())
		clean()
		if err != nil {
			t.Fatal(err)
		}
		made[i] = append(made[i], file{"expressway", 0o755, binary})
	}
	for i, f := range made[0] {
		if !bytes.Equal(f.Data, made[1][i].Data) {
			t.Errorf("two builds of %s differ", f.Name)
		}
	}
	checkCommand(t, made[0][len(made[0])-1].Data, layers.artifacts)
}

// checkCommand has the built command write the layer that it carries.
func checkCommand(t *testing.T, binary []byte, layers []file) {
	t.Helper()
	dir := t.TempDir()
	command := filepath.Join(dir, "expressway")
	if err := os.WriteFile(command, binary, 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	out := filepath.Join(dir, "layer.zip")
	if text, err := exec.CommandContext(t.Context(), command, "layer", "--arch", "arm64", "-o", out).CombinedOutput(); err != nil || !strings.Contains(string(text), "v0.0.0-test") {
		t.Fatalf("%v: %s", err, text)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(layers, func(f file) bool { return f.Name == "expressway-layer-v0.0.0-test-arm64.zip" })
	if !bytes.Equal(got, layers[i].Data) {
		t.Error("the command carries another layer")
	}
	// The project that it writes has the layer, and names it by its version.
	project := filepath.Join(dir, "project")
	if text, err := exec.CommandContext(t.Context(), command, "init", project, "--from", "sqs").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	written, err := os.ReadFile(filepath.Join(project, "expressway-layer-v0.0.0-test-arm64.zip"))
	if err != nil || !bytes.Equal(written, got) {
		t.Errorf("init writes another layer: %v", err)
	}
	template, err := os.ReadFile(filepath.Join(project, "template.yaml"))
	if err != nil || !strings.Contains(string(template), "LayerName: expressway-v0-0-0-test") {
		t.Errorf("%v: %s", err, template)
	}
	text, err := exec.CommandContext(t.Context(), command, "version").Output()
	if err != nil || !strings.Contains(string(text), "expressway v0.0.0-test (abc) "+runtime.Version()) {
		t.Errorf("%v: %s", err, text)
	}
}
