package devserver

import (
	"context"

	"github.com/expressway-dev/expressway/internal/waittable"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// waits finds the tokens of waiting tasks in DynamoDB, or at the endpoint that the
// environment names. Without a region and credentials, only a look-up fails.
func waits(getenv func(string) string) bridge.WaitTable {
	table, err := waittable.New(getenv)
	if err != nil {
		return noTable{err}
	}
	return table
}

type noTable struct{ err error }

func (t noTable) Item(context.Context, string, string, any) (map[string]string, bool, error) {
	return nil, false, bridge.NewFailure(bridge.Misconfigured, "the table of waiting tasks cannot be reached", t.err)
}
