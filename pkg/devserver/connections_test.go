package devserver_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// The file of connections is read again when it is saved; a broken one leaves the last good
// one in use.
func TestConnectionsAreReadAgain(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get("X-Key")))
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "connections.json")
	const arn = "arn:aws:events:us-east-1:123456789012:connection/c/1"
	save := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := func(value string) string {
		return `{"` + arn + `":{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"` + value + `"}}}`
	}
	save(key("one"))
	options := devserver.Options{
		Getenv: noEnvironment, Log: slog.New(slog.DiscardHandler), Connections: path,
		Hosts: map[string]string{"api.example.com": server.URL},
	}
	local, err := devserver.NewLocal(options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close(t.Context()) }()
	name, role, kind := "m", "arn:aws:iam::123456789012:role/r", "EXPRESS"
	definition := `{"StartAt":"H","States":{"H":{"Type":"Task","Resource":"arn:aws:states:::http:invoke","Parameters":{"Method":"GET",
		"ApiEndpoint":"https://api.example.com/","Authentication":{"ConnectionArn":"` + arn + `"}},"OutputPath":"$.ResponseBody","End":true}}}`
	if _, err := local.States.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	answer := func() string {
		machine := local.States.ARN(name)
		r, err := local.States.StartSync(t.Context(), statesapi.StartInput{StateMachineARN: &machine, Input: json.RawMessage(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Output)
	}
	if got := answer(); got != `"one"` {
		t.Errorf("output %s, want the key of the file", got)
	}
	save(key("two"))
	if err := local.Reload(options); err != nil {
		t.Fatal(err)
	}
	if got := answer(); got != `"two"` {
		t.Errorf("output %s, want the key as it was saved", got)
	}
	save(`{"` + arn + `":{"Basic":{}}}`)
	if err := local.Reload(options); err == nil || !strings.Contains(err.Error(), "connections.json") {
		t.Errorf("error = %v, want one that names the file", err)
	}
	if got := answer(); got != `"two"` {
		t.Errorf("output %s, want the last good key", got)
	}
}
