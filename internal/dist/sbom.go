package dist

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const module = "github.com/expressway-dev/expressway"

// An inventory lists what the binaries of a release were built from, as `go version -m`
// does.
type inventory struct {
	modules   map[string]debug.Module // by package URL
	artifacts map[string][]string     // package URLs, by artifact
	goVersion string
}

// read adds a binary.
func (i *inventory) read(artifact string, binary []byte) error {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("read the build information of %s: %w", artifact, err)
	}
	if i.modules == nil {
		i.modules, i.artifacts = map[string]debug.Module{}, map[string][]string{}
	}
	i.goVersion = info.GoVersion
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		url := packageURL(m.Path, m.Version)
		i.modules[url] = *m
		i.artifacts[artifact] = append(i.artifacts[artifact], url)
	}
	return nil
}

// packageURL names a module: https://github.com/package-url/purl-spec
func packageURL(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + version
}

// sbom writes CycloneDX 1.6. It contains neither a time nor the name of a machine, so
// that it is the same wherever it is made.
func (i *inventory) sbom(version string) ([]byte, error) {
	root := cdx.Component{
		BOMRef: packageURL(module, version), Type: cdx.ComponentTypeApplication, Name: module, Version: version,
		PackageURL: packageURL(module, version), Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
	}
	goRef := packageURL("std", strings.TrimPrefix(i.goVersion, "go"))
	components := []cdx.Component{{
		BOMRef: goRef, Type: cdx.ComponentTypeLibrary, Name: "std", Version: strings.TrimPrefix(i.goVersion, "go"), PackageURL: goRef,
	}}
	var dependencies []cdx.Dependency
	for _, url := range slices.Sorted(maps.Keys(i.modules)) {
		m := i.modules[url]
		components = append(components, cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url})
	}
	var parts []string
	for _, artifact := range slices.Sorted(maps.Keys(i.artifacts)) {
		ref := "artifact:" + artifact
		components = append(components, cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeFile, Name: artifact, Version: version})
		on := append([]string{goRef}, i.artifacts[artifact]...)
		slices.Sort(on)
		dependencies = append(dependencies, cdx.Dependency{Ref: ref, Dependencies: &on})
		parts = append(parts, ref)
	}
	dependencies = append([]cdx.Dependency{{Ref: root.BOMRef, Dependencies: &parts}}, dependencies...)
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &root}
	bom.Components, bom.Dependencies = &components, &dependencies
	bom.SerialNumber = serial(components)
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("write the bill of materials: %w", err)
	}
	return out.Bytes(), nil
}

// serial returns a UUID of the contents (RFC 9562, version 8).
func serial(components []cdx.Component) string {
	h := sha256.New()
	for _, c := range components {
		fmt.Fprintln(h, c.BOMRef)
	}
	b := h.Sum(nil)
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
