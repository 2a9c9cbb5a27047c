package devserver

import (
	"context"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// queues returns Amazon SQS at the endpoint that the environment names, or else queues that
// only exist here. The credentials on a laptop must not be enough to send a dead letter to
// AWS.
func queues(o Options) sqsbatch.Queues {
	if endpoint(o.Getenv, "SQS") == "" {
		return localQueues{o.Log}
	}
	return sqsclient.FromEnv(localEnv(o.Getenv))
}

// localQueues accept every dead letter and log where it would have gone; the events of a
// laptop come from files, so no visibility has to change.
type localQueues struct{ log *slog.Logger }

// Send implements [sqsbatch.Queues].
func (q localQueues) Send(ctx context.Context, m *sqsbatch.Message) error {
	q.log.LogAttrs(ctx, slog.LevelInfo, "dead letter accepted here: AWS_ENDPOINT_URL_SQS does not name an endpoint",
		slog.String("deadLetterQueue", m.QueueURL))
	return nil
}

// ChangeVisibility implements [sqsbatch.Queues].
func (q localQueues) ChangeVisibility(context.Context, string, []sqsbatch.Visibility) error {
	return nil
}
