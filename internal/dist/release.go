package dist

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
)

// Lambda's names of architectures, by Go's.
var archNames = map[string]string{"arm64": "arm64", "amd64": "x86_64"}

type platform struct{ os, arch string }

// platforms are those of the command.
var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

// A Release is the input of [Release.Write].
type Release struct {
	// Root is the folder of the module.
	Root string
	// Version is vMAJOR.MINOR.PATCH, and Commit the commit that it was built from.
	Version, Commit string
	// Say is called with what is being made; it may be nil.
	Say func(string)

	artifacts []file
	inventory inventory
}

// Write makes the release in a folder, which it creates if it does not exist: artifacts,
// SHA256SUMS and a CycloneDX bill of materials.
func (r *Release) Write(ctx context.Context, dir string) error {
	for _, step := range []func(context.Context) error{r.functions, r.command} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	sbom, err := r.inventory.sbom(r.Version)
	if err != nil {
		return err
	}
	r.add("expressway-"+r.Version+".cdx.json", sbom)
	slices.SortFunc(r.artifacts, func(a, b file) int { return strings.Compare(a.Name, b.Name) })
	r.artifacts = append(r.artifacts, file{"SHA256SUMS", 0o644, sums(r.artifacts)})
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // for others to read
		return fmt.Errorf("write release: %w", err)
	}
	for _, f := range r.artifacts {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, os.FileMode(f.Mode)); err != nil {
			return fmt.Errorf("write release: %w", err)
		}
	}
	return nil
}

func (r *Release) add(name string, data []byte) {
	r.artifacts = append(r.artifacts, file{name, 0o644, data})
}

func (r *Release) say(format string, args ...any) {
	if r.Say != nil {
		r.Say(fmt.Sprintf(format, args...))
	}
}

// functionNames are the programs of the functions: the layer, and one for each source.
func functionNames() []string { return append([]string{"layer"}, sources.Functions()...) }

// functions builds the layer, and the three functions as separate programs.
func (r *Release) functions(ctx context.Context) error {
	for _, arch := range []string{"arm64", "amd64"} {
		for _, name := range functionNames() {
			binary, err := r.function(ctx, name, arch)
			if err == nil {
				err = r.pack(name, arch, binary)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Release) function(ctx context.Context, name, arch string) ([]byte, error) {
	r.say("%s for %s", name, archNames[arch])
	return build{
		Root: r.Root, Package: "./functions/" + name, OS: "linux", Arch: arch, Function: true, Version: r.Version, Commit: r.Commit,
	}.Binary(ctx)
}

// pack adds a function's zip.
func (r *Release) pack(name, arch string, binary []byte) error {
	archive, err := zipped(file{"bootstrap", 0o755, binary})
	if err != nil {
		return err
	}
	file := fmt.Sprintf("expressway-%s-%s-%s.zip", name, r.Version, archNames[arch])
	r.add(file, archive)
	return r.inventory.read(file, binary)
}

// command builds the command with the layers in it.
func (r *Release) command(ctx context.Context) error {
	overlay, clean, err := r.overlay()
	if err != nil {
		return err
	}
	defer clean()
	for _, p := range platforms {
		r.say("command for %s/%s", p.os, p.arch)
		binary, err := r.commandFor(ctx, p, overlay)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("expressway-%s-%s-%s", r.Version, p.os, p.arch)
		var archive []byte
		if p.os == "windows" {
			name += ".zip"
			archive, err = zipped(file{"expressway.exe", 0o755, binary})
		} else {
			name += ".tar.gz"
			archive, err = tarball(file{"expressway", 0o755, binary})
		}
		if err != nil {
			return err
		}
		r.add(name, archive)
		if err := r.inventory.read(name, binary); err != nil {
			return err
		}
	}
	return nil
}

func (r *Release) commandFor(ctx context.Context, p platform, overlay string) ([]byte, error) {
	return build{
		Root: r.Root, Package: "./cmd/expressway", OS: p.os, Arch: p.arch, Version: r.Version, Commit: r.Commit,
		Tags: []string{"release"}, Overlay: overlay,
	}.Binary(ctx)
}

// WriteCommand makes the command of one platform alone, as the release has it, in a folder
// that it creates if it does not exist. The platform is OS/ARCH in Go's names.
func (r *Release) WriteCommand(ctx context.Context, dir, name string) error {
	i := slices.IndexFunc(platforms, func(p platform) bool { return p.os+"/"+p.arch == name })
	if i < 0 {
		return fmt.Errorf("there is no command for %s; there is one for %v", name, platforms)
	}
	for _, arch := range []string{"arm64", "amd64"} {
		binary, err := r.function(ctx, "layer", arch)
		if err == nil {
			err = r.pack("layer", arch, binary)
		}
		if err != nil {
			return err
		}
	}
	overlay, clean, err := r.overlay()
	if err != nil {
		return err
	}
	defer clean()
	r.say("command for %s", name)
	binary, err := r.commandFor(ctx, platforms[i], overlay)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // for others to read
		return fmt.Errorf("write command: %w", err)
	}
	file := "expressway"
	if platforms[i].os == "windows" {
		file += ".exe"
	}
	if err := os.WriteFile(filepath.Join(dir, file), binary, 0o755); err != nil { //nolint:gosec // it is run
		return fmt.Errorf("write command: %w", err)
	}
	return nil
}

// overlay adds the layers to the command's folder, which has none.
func (r *Release) overlay() (path string, clean func(), _ error) {
	dir, err := os.MkdirTemp("", "expressway-overlay")
	if err != nil {
		return "", nil, fmt.Errorf("overlay the layers on the command's folder: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) }
	root, err := filepath.Abs(r.Root)
	if err != nil {
		clean()
		return "", nil, err
	}
	replace := map[string]string{}
	for _, arch := range archNames {
		name := fmt.Sprintf("expressway-layer-%s-%s.zip", r.Version, arch)
		i := slices.IndexFunc(r.artifacts, func(f file) bool { return f.Name == name })
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, r.artifacts[i].Data, 0o600); err != nil {
			clean()
			return "", nil, err
		}
		replace[filepath.Join(root, "cmd", "expressway", "layer-"+arch+".zip")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		path = filepath.Join(dir, "overlay.json")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		clean()
	}
	return path, clean, err
}

// sums returns a file for `sha256sum --check`.
func sums(files []file) []byte {
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(f.Data), f.Name)
	}
	return b.Bytes()
}

// tarball packs files as [zipped] does.
func tarball(files ...file) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(compressed)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: int64(f.Mode), Size: int64(len(f.Data)), Format: tar.FormatUSTAR, ModTime: epoch}); err != nil {
			return nil, fmt.Errorf("tar %s: %w", f.Name, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("tar %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
