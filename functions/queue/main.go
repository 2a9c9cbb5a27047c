// Command queue is the Lambda function that runs a workflow for each record of an SQS
// batch, and reports exactly the records to deliver again.
package main

import (
	"github.com/expressway-dev/expressway/internal/bootstrap"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() { bootstrap.Run(gateway.Queue) }
