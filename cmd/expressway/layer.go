package main

import (
	"fmt"
	"os"

	"github.com/expressway-dev/expressway/internal/version"
)

// releases is where the layer of each version can be downloaded.
const releases = "https://github.com/expressway-dev/expressway/releases"

type layerCommand struct {
	Arch   string `enum:"arm64,x86_64" default:"arm64" help:"The architecture of the function: arm64 or x86_64 (default: ${default})."`
	Output string `short:"o" required:"" placeholder:"FILE" help:"The file to write the zip to, or - for standard output."`
}

// Run writes the layer that this program carries.
func (c *layerCommand) Run(p *program) error {
	content, err := embeddedLayer(c.Arch)
	if err != nil {
		return err
	}
	if c.Output == "-" {
		_, err := p.stdout.Write(content)
		return err
	}
	if err := os.WriteFile(c.Output, content, 0o644); err != nil { //nolint:gosec // others deploy it
		return fmt.Errorf("write layer: %w", err)
	}
	fmt.Fprintf(p.stdout, "%s: the Expressway layer %s for %s, %d bytes\n", c.Output, version.String(), c.Arch, len(content))
	return nil
}

// embeddedLayer returns the zip for an architecture.
func embeddedLayer(arch string) ([]byte, error) {
	if content := layers()[arch]; len(content) > 0 {
		return content, nil
	}
	name, where := layerFile(version.String(), arch), releases
	if v := version.String(); released(v) {
		where += "/download/" + v + "/" + name
	}
	return nil, fmt.Errorf("this program was built from source and carries no layer; download %s from %s, or use the expressway program of that release", name, where)
}

// layerFile returns the name of the layer's zip in a release.
func layerFile(of, arch string) string {
	if !released(of) {
		of = "VERSION"
	}
	return "expressway-layer-" + of + "-" + arch + ".zip"
}
