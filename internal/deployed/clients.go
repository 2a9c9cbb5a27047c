// Package deployed reads a deployed stack, and checks in it what validate checks in a
// template: the configuration of functions, their event source mappings, their queues and
// their state machines. It only reads.
package deployed

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/expressway-dev/expressway/internal/awsenv"
)

// Clients are the clients of the services that are read.
type Clients struct {
	CloudFormation *cloudformation.Client
	Lambda         *lambda.Client
	SQS            *sqs.Client
	StepFunctions  *sfn.Client
	Region         string
}

// Config returns the configuration of the environment for a service, by its name in
// AWS_ENDPOINT_URL_….
func Config(getenv func(string) string, service string) (aws.Config, error) {
	cfg, err := awsenv.Config(getenv, service)
	if err != nil {
		return cfg, err
	}
	cfg.RetryMode = aws.RetryModeAdaptive // many calls in a row, next to those of other users of the account
	return cfg, nil
}

// NewClients returns the clients for an environment.
func NewClients(getenv func(string) string) (*Clients, error) {
	var all [4]aws.Config
	for i, service := range []string{"CLOUDFORMATION", "LAMBDA", "SQS", "SFN"} {
		var err error
		if all[i], err = Config(getenv, service); err != nil {
			return nil, err
		}
	}
	return &Clients{
		cloudformation.NewFromConfig(all[0]), lambda.NewFromConfig(all[1]), sqs.NewFromConfig(all[2]), sfn.NewFromConfig(all[3]), all[0].Region,
	}, nil
}
