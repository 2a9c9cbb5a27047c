package eventkind_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A sample of each source is in the folder events, and is known to be for its function.
func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "internal/eventkind/eventkind.go: what the function takes, and a sample in events", func(s sources.Source) error {
		files, err := filepath.Glob(filepath.Join("..", "..", "events", s.Function+"-*.json"))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("there is no events/%s-*.json: %v", s.Function, err)
		}
		for _, file := range files {
			payload, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			v, err := jsonata.Decode(payload)
			if err != nil {
				return err
			}
			if kind := eventkind.Of(v); string(kind.Function) != s.Function {
				return fmt.Errorf("%s is mistaken for %s", file, kind.What)
			}
		}
		return nil
	})
}
