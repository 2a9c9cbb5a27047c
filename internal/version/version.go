// Package version says which version of Expressway a program was built from, of which commit, and with which Go.
package version

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// release and commit are set by the linker in a release:
// -X github.com/expressway-dev/expressway/internal/version.release=v1.2.3.
var release, commit string

// module is the path by which a program of somebody else depends on this one.
const module = "github.com/expressway-dev/expressway"

const devel = "(devel)"

// String is the release, else the version of the module in the build, else "(devel)".
func String() string { return build().version }

// Commit is what the program was built from, and says "with changes" where the checkout had any. It is empty where the build does not
// know it, as in a program of somebody else.
func Commit() string { return build().commit }

// Go is the version of Go that built the program.
func Go() string { return runtime.Version() }

type source struct{ version, commit string }

var build = sync.OnceValue(func() source {
	if release != "" {
		return source{release, commit}
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return source{devel, commit}
	}
	return read(info)
})

// read finds what the go command wrote into the program.
func read(info *debug.BuildInfo) source {
	if info.Main.Path != module {
		for _, dep := range info.Deps {
			if dep.Path == module {
				return source{version: dep.Version}
			}
		}
		return source{version: devel}
	}
	s := source{version: info.Main.Version}
	if s.version == "" {
		s.version = devel
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			s.commit = setting.Value[:min(12, len(setting.Value))] + s.commit
		case setting.Key == "vcs.modified" && setting.Value == "true":
			s.commit += " with changes"
		}
	}
	return s
}
