// Package version says which version of Expressway a program was built from.
package version

import (
	"runtime/debug"
	"sync"
)

// release is set by the linker in a release:
// -X github.com/expressway-dev/expressway/internal/version.release=v1.2.3.
var release string

// module is the path by which a program of somebody else depends on this one.
const module = "github.com/expressway-dev/expressway"

// String is the release, else the version of the module in the build, else "(devel)".
var String = sync.OnceValue(func() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	if info.Main.Path == module && info.Main.Version != "" {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	return devel
})

const devel = "(devel)"
