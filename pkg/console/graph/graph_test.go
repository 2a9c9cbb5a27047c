package graph_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/expressway-dev/expressway/pkg/console/graph"
)

func TestX(t *testing.T) {
	for _, f := range []string{"github", "orders", "payments", "../../../tmp/big"} {
		text, _ := os.ReadFile(filepath.Join("..", "..", "..", "statemachines", f+".asl.json"))
		if f[0] == '.' {
			text, _ = os.ReadFile("/tmp/big.json")
			f = "big"
		}
		g, err := graph.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_ = os.WriteFile("/tmp/"+f+".svg", []byte(g.SVG(graph.Overlay{}, true)), 0o600)
	}
}
