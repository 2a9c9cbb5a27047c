package otlp

import (
	"errors"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "pkg/otlp/span.go: the name of a delivery's span", func(s sources.Source) error {
		var span span
		span.add("http.request.method", "POST")
		span.name(s.Key, &bridge.Delivery{ID: "d-1"})
		if span.Name == "" {
			return errors.New("it has no name")
		}
		return nil
	})
}
