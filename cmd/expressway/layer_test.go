package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A program that was built from source says where the layer is.
func TestLayerOfAProgramFromSource(t *testing.T) {
	t.Parallel()
	if len(layers()) > 0 {
		t.Skip("a release contains the layers")
	}
	out := filepath.Join(t.TempDir(), "layer.zip")
	var text strings.Builder
	code := run(t.Context(), []string{"layer", "--arch", "x86_64", "-o", out}, nil, &text, &text, noEnvironment)
	if code != 1 || !strings.Contains(text.String(), "expressway-layer-VERSION-x86_64.zip from "+releases) {
		t.Errorf("exit %d: %s; want 1 and where to download the layer", code, text.String())
	}
}

func TestReleased(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"v0.1.0": true, "v1.2.3-rc.1": true, "(devel)": false, "": false, "v0.0.0-20260101120000-0123456789ab": false, "v0.1.0+dirty": false,
	} {
		if released(version) != want {
			t.Errorf("released(%q) is %v", version, !want)
		}
	}
}
