package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "internal/bench/build.go: the functions that are measured", func(s sources.Source) error {
		own := []function{webhookFunction, queueFunction, eventFunction}
		if !slices.ContainsFunc(own, func(f function) bool { return f.name == s.Function }) {
			return fmt.Errorf("%s is not built", s.Function)
		}
		if !slices.ContainsFunc(layerFunctions, func(f function) bool { return f.handler == s.Function }) {
			return fmt.Errorf("the layer is not measured as %s", s.Function)
		}
		return nil
	})
}
