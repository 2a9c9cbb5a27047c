package devserver_test

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// The commands that are suggested can be pasted: they name no file that has to be written
// first.
func TestAttempt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pattern, provider, file, want string }{
		{"POST /a", "", "", "echo '{}' | expressway sign r -d - --url U | sh"},
		{"POST /a/{x}/{rest...}", "", "", "echo '{}' | expressway sign r -d - --param x=sample --param rest=sample --url U | sh"},
		{"POST /a/{$}", "github", "", "expressway sign r --sample --url U | sh"},
		{"POST /a", "github", "events/bodies/r-1.json", "expressway sign r -d events/bodies/r-1.json --url U | sh"},
	} {
		r := &config.Route{HTTP: &config.HTTP{Pattern: tt.pattern, Verify: verify.Spec{Provider: tt.provider}}}
		r.Name = "r"
		if got := devserver.Attempt("expressway", r, tt.file, " --url U"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.pattern, got, tt.want)
		}
	}
}
