// Package version says which version of Expressway a program was built from, from which
// commit, and with which version of Go.
package version

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// release and commit are set by the linker in a release:
// -X github.com/expressway-dev/expressway/internal/version.release=v1.2.3.
var release, commit string

// module is the path that other programs use to import this module.
const module = "github.com/expressway-dev/expressway"

const devel = "(devel)"

// String returns the release, else the version of the module in the build, else
// "(devel)".
func String() string { return build().version }

// Commit returns the commit that the program was built from, with "with changes" if the
// checkout had any. It is empty if the build does not know it, as in another module's
// program.
func Commit() string { return build().commit }

// Go returns the version of Go that built the program.
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

// read reads what the go command wrote into the program.
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
