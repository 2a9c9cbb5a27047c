// Command webhook is the Lambda function that answers HTTP requests from API Gateway, a
// Function URL or a load balancer with the outcome of a workflow.
package main

import (
	"github.com/expressway-dev/expressway/internal/bootstrap"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() { bootstrap.Run(gateway.Webhook) }
