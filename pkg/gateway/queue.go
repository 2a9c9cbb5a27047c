package gateway

import (
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// Queue returns the handler of SQS batches.
func (g *Gateway) Queue() *sqsbatch.Batch {
	queues := g.options.Queues
	if queues == nil && sqsbatch.NeedsQueues(g.routes) {
		queues = sqsclient.FromEnv(g.options.Getenv)
	}
	return sqsbatch.New(g.routes, g.bridge, sqsbatch.Options{Log: g.options.Log, Queues: queues})
}
