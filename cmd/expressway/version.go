package main

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
)

// Set by the linker in a release.
var version, commit string

type versionCommand struct{}

func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, buildVersion())
	return err
}

// moduleVersion is the version of a release or of `go install`, else (devel).
func moduleVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

var releaseVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// released reports whether a version is that of a release, and not of a commit that has
// none.
func released(version string) bool {
	return releaseVersion.MatchString(version) && !pseudoVersion.MatchString(version)
}

var pseudoVersion = regexp.MustCompile(`[0-9]{14}-[0-9a-f]{12}`)

// buildVersion says version, commit and Go, as far as the build knows them.
func buildVersion() string {
	source := commit
	if info, ok := debug.ReadBuildInfo(); ok && source == "" {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				source = s.Value[:min(12, len(s.Value))] + source
			case s.Key == "vcs.modified" && s.Value == "true":
				source += " with changes"
			}
		}
	}
	if source != "" {
		source = " (" + source + ")"
	}
	return fmt.Sprintf("expressway %s%s %s %s/%s", moduleVersion(), source, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
