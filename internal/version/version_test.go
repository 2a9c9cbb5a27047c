package version

import (
	"runtime/debug"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		info debug.BuildInfo
		want source
	}{
		"go install": {debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}}, source{version: "v0.1.0"}},
		"a checkout": {debug.BuildInfo{
			Main: debug.Module{Path: module, Version: "(devel)"},
			Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "false"},
			},
		}, source{"(devel)", "0123456789ab"}},
		"a checkout with changes": {debug.BuildInfo{
			Main: debug.Module{Path: module},
			Settings: []debug.BuildSetting{
				{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "0123456789abcdef"},
			},
		}, source{"(devel)", "0123456789ab with changes"}},
		"a program that embeds it": {debug.BuildInfo{
			Main: debug.Module{Path: "example.com/hooks", Version: "v9.9.9"}, Deps: []*debug.Module{{Path: "example.com/a"}, {Path: module, Version: "v0.2.0"}},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "the embedding program's"}},
		}, source{version: "v0.2.0"}},
		"a test of another module": {debug.BuildInfo{Main: debug.Module{Path: "example.com/hooks"}}, source{version: "(devel)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := read(&test.info); got != test.want {
				t.Errorf("read = %+v, want %+v", got, test.want)
			}
		})
	}
}
