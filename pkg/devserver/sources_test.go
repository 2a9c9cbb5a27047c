package devserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

func TestSources(t *testing.T) {
	t.Parallel()
	local := func(s sources.Source) (*devserver.Local, error) {
		path := filepath.Join(t.TempDir(), "expressway.yaml")
		if err := os.WriteFile(path, []byte(sourcetest.Config(s)), 0o600); err != nil {
			return nil, err
		}
		l, err := devserver.NewLocal(devserver.Options{Config: path, Getenv: noEnvironment, Starter: bridgetest.StarterFunc(echo)})
		if err == nil {
			t.Cleanup(func() { _ = l.Close(t.Context()) })
		}
		return l, err
	}
	sourcetest.Hold(t, "pkg/devserver/local.go: the handlers", func(s sources.Source) error {
		l, err := local(s)
		if err != nil {
			return err
		}
		handler, err := l.Handler(s.Function)
		if err != nil {
			return err
		}
		event, err := sample(s)
		if err != nil {
			return err
		}
		_, _ = handler.Invoke(t.Context(), event) // the sample's route is not there: only a panic would be wrong
		return nil
	})
	sourcetest.Hold(t, "pkg/devserver/engine.go: a route on the console", func(s sources.Source) error {
		l, err := local(s)
		if err != nil {
			return err
		}
		r := l.Engine(t.TempDir(), "http://127.0.0.1:8080").Routes()[0]
		if r.Source != s.Key || r.Takes == "" || r.Try == "" {
			return fmt.Errorf("it is shown as %+v", r)
		}
		return nil
	})
}

// sample is the first of the function's events in the folder events.
func sample(s sources.Source) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", s.Function+"-*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there is no events/%s-*.json: %v", s.Function, err)
	}
	return os.ReadFile(files[0])
}
