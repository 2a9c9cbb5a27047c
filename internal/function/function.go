// Package function makes what the Lambda functions have in common, of what Lambda's
// environment holds: the routes, and the bridge with Step Functions behind it, a dedupe
// store and metrics beside it. Each function adds the adapter of its events.
package function

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/metrics"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// DedupeTable is the variable that names the DynamoDB table of dedupe records.
const DedupeTable = "EXPRESSWAY_DEDUPE_TABLE"

// Load reads the configuration and makes the bridge of its routes. It sends nothing.
// Metrics go to out, as lines; ours tells which of the routes are the function's own.
func Load(getenv func(string) string, log *slog.Logger, out io.Writer, ours func(*config.Route) bool) (*config.Config, *bridge.Bridge, error) {
	cfg, err := config.Load(config.Find(getenv), getenv)
	if err != nil {
		return nil, nil, err
	}
	if len(cfg.Routes) == 0 {
		return nil, nil, fmt.Errorf("%s has no routes: the function would refuse everything", cfg.File)
	}
	options, err := stepfn.FromEnv(getenv)
	if err != nil {
		return nil, nil, err
	}
	var parts []bridge.Option
	observer, err := metrics.FromEnv(getenv, out)
	if err != nil {
		return nil, nil, err
	}
	if observer != nil {
		parts = append(parts, bridge.WithObserver(observer))
	}
	if dedupes(cfg, ours) {
		store, err := store(getenv, log)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, bridge.WithDedupe(store))
	}
	return cfg, bridge.New(stepfn.New(options), log, nil, parts...), nil
}

// dedupes reports whether one of the function's routes needs a store.
func dedupes(cfg *config.Config, ours func(*config.Route) bool) bool {
	for _, r := range cfg.Routes {
		if r.Dedupe != nil && ours(r) {
			return true
		}
	}
	return false
}

// store is the table that the environment names, or the process's own memory, which
// knows nothing of what other environments of the function have seen.
func store(getenv func(string) string, log *slog.Logger) (bridge.DedupeStore, error) {
	table := getenv(DedupeTable)
	if table == "" {
		log.Warn("dedupe without " + DedupeTable + ": duplicates are only seen by the environment that had the first")
		return dedupe.NewMemory(dedupe.MemoryOptions{}), nil
	}
	return dedupe.NewDynamoDB(table, getenv, nil)
}
