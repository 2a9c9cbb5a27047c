package metrics_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "pkg/metrics/metrics.go: the dimension Source", func(s sources.Source) error {
		for _, variable := range s.Variables {
			var out bytes.Buffer
			d := &bridge.Delivery{Route: &bridge.Route{Name: "r"}, Kind: variable}
			newWriter(&out).Settled(t.Context(), d, bridge.Result{Filtered: true}, bridge.Settlement{Final: true})
			var line struct{ Source string }
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				return err
			}
			if line.Source != s.Key {
				return fmt.Errorf("a delivery of the kind %s has the source %q", variable, line.Source)
			}
		}
		return nil
	})
}
