package gateway_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

// The base paths of the file and those of a Go program are cut from the paths of
// requests.
func TestBasePaths(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(plain, "routes:", "basePaths: /hooks\nroutes:", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	handler, err := gateway.Webhook(gateway.Options{
		Config: file, BasePaths: []string{"/mine"}, Getenv: func(string) string { return "" }, Starter: bridgetest.Succeed("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/a": "200", "/hooks/a": "200", "/mine/a": "200", "/other/a": "404"} {
		out, err := handler.Invoke(context.Background(), []byte(`{"path":"`+path+`","httpMethod":"POST","requestContext":{},"body":"{}"}`))
		if err != nil || !strings.HasPrefix(string(out), `{"statusCode":`+want) {
			t.Errorf("%s: %s, %v; want %s", path, out, err, want)
		}
	}
}
