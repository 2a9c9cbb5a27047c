package scaffold

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestEveryProvider checks that a route of each provider can be written.
func TestEveryProvider(t *testing.T) {
	t.Parallel()
	for _, name := range verify.Providers() {
		h, err := newHook(name, "/"+name, "${M}")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s%v", h.yaml, h.variables)
	}
}
