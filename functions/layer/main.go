// Command layer is the bootstrap of the Lambda layer: it becomes the webhook, the queue
// or the event function by the function's Handler. The function's own code is a folder
// with expressway.yaml.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/bootstrap"
	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() {
	bootstrap.Run(func(o gateway.Options) (lambda.Handler, error) { return newHandler(os.Getenv("_HANDLER"), o) })
}

// newHandler makes the handler that the function's Handler names.
func newHandler(name string, o gateway.Options) (lambda.Handler, error) {
	switch name {
	case sources.Webhook:
		return gateway.Webhook(o)
	case sources.Queue:
		return gateway.Queue(o)
	case sources.Event:
		return gateway.Event(o)
	}
	return nil, fmt.Errorf("the Handler of the function is %q; the Expressway layer knows %s", name, sources.List(sources.Functions()))
}
