// Command event is the Lambda function that runs a workflow for an EventBridge event,
// and fails with the failure's name when the workflow does.
package main

import (
	"github.com/expressway-dev/expressway/internal/bootstrap"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() { bootstrap.Run(gateway.Event) }
