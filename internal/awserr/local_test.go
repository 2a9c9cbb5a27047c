package awserr_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/expressway-dev/expressway/internal/awserr"
)

// Errors about files and ports on this machine are not network errors, although a
// syscall.Errno satisfies net.Error.
func TestLocalErrorsHaveNoCure(t *testing.T) {
	t.Parallel()
	_, missing := os.ReadFile(filepath.Join(t.TempDir(), "mocks.json"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, taken := net.Listen("tcp", l.Addr().String())
	for name, err := range map[string]error{"a missing file": missing, "a port in use": taken} {
		if cure := awserr.Cure(fmt.Errorf("read: %w", err)); err == nil || cure != "" {
			t.Errorf("%s, %v, has the cure %q, want none", name, err, cure)
		}
	}
	_, refused := net.Dial("tcp", "127.0.0.1:1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://name.invalid/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, unknown := http.DefaultClient.Do(request)
	if unknown == nil {
		response.Body.Close()
	}
	for name, err := range map[string]error{"a refused connection": refused, "an unknown host": unknown} {
		if !errors.Is(awserr.Explain(err), awserr.ErrUnreachable) {
			t.Errorf("%s, %v, is not explained as unreachable", name, err)
		}
	}
}
