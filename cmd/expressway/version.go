package main

import (
	"fmt"
	"regexp"
	"runtime"

	"github.com/expressway-dev/expressway/internal/version"
)

type versionCommand struct{}

func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, buildVersion())
	return err
}

var releaseVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

// released reports whether a version is that of a release, and not of an untagged commit.
func released(version string) bool {
	return releaseVersion.MatchString(version) && !pseudoVersion.MatchString(version)
}

var pseudoVersion = regexp.MustCompile(`[0-9]{14}-[0-9a-f]{12}`)

// buildVersion returns the version, the commit and the Go version, as far as they are
// known to the build.
func buildVersion() string {
	commit := version.Commit()
	if commit != "" {
		commit = " (" + commit + ")"
	}
	return fmt.Sprintf("expressway %s%s %s %s/%s", version.String(), commit, version.Go(), runtime.GOOS, runtime.GOARCH)
}
