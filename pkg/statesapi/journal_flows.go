package statesapi

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// A flows holds the checkpoints of an execution's flows by their paths. It finds the flows
// below a path without searching all others: a Map may have thousands of iterations, each
// with a Map or a Parallel of its own that ends.
type flows struct {
	at map[string]asl.Checkpoint
	// below are the paths one level below each path, whether or not anything is kept there.
	below map[string][]string
}

func newFlows() flows { return flows{map[string]asl.Checkpoint{}, map[string][]string{}} }

func (f flows) set(path string, c asl.Checkpoint) {
	f.at[path] = c
	if _, known := f.below[path]; known {
		return
	}
	f.below[path] = nil
	for path != "" {
		parent := path[:max(strings.LastIndexByte(path, '/'), 0)]
		siblings, known := f.below[parent]
		f.below[parent] = append(siblings, path)
		if known {
			return
		}
		path = parent
	}
}

// drop forgets the flows below a path, which must end with a slash.
func (f flows) drop(path string) {
	path = strings.TrimSuffix(path, "/")
	gone := f.below[path]
	if len(gone) > 0 {
		f.below[path] = nil
	}
	for len(gone) > 0 {
		last := gone[len(gone)-1]
		gone = append(gone[:len(gone)-1], f.below[last]...)
		delete(f.below, last)
		delete(f.at, last)
	}
}
