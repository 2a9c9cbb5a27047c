package tasks

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
)

// A Here describes the local replacements of services; see [Local].
type Here struct {
	// Getenv returns the variables that name endpoints (AWS_ENDPOINT_URL_SERVICE,
	// LAMBDA_ENDPOINT and similar ones, and APIGATEWAY_ENDPOINT), and the credentials
	// that sign requests to them.
	Getenv func(string) string
	// Region is used in signatures; the default is us-east-1.
	Region string
	// Connections authorize HTTP tasks; nil leaves those without a runner.
	Connections *Connections
	// Hosts maps the hosts of APIs and HTTP endpoints to addresses.
	Hosts map[string]string
}

// FromEnv is [Local] with only an environment.
func FromEnv(getenv func(string) string, region string) asl.TaskRunner {
	return Local(Here{Getenv: getenv, Region: region})
}

// Local returns a runner of tasks at the endpoints of this machine: Lambda functions,
// actions of other services, HTTP endpoints and APIs. A task without an endpoint fails
// with a cause that explains how to configure one.
func Local(h Here) asl.TaskRunner {
	endpoint := endpoints(h.Getenv)
	credentials := aws.Credentials{
		AccessKeyID:     h.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: h.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    h.Getenv("AWS_SESSION_TOKEN"),
	}
	api := &apiGateway{
		Endpoint: h.Getenv("APIGATEWAY_ENDPOINT"), Hosts: h.Hosts, Region: h.Region, Credentials: credentials,
		Next: &Services{Endpoint: endpoint, Region: h.Region, Credentials: credentials},
	}
	rest := &httpTasks{Connections: h.Connections, Hosts: h.Hosts, Region: h.Region, Next: api}
	service, _ := awsmodel.Lookup("lambda")
	if url := endpoint(service); url != "" {
		return functions{&Lambda{Endpoint: url}, rest}
	}
	return rest
}

// functions passes the tasks that invoke a function to one runner, and the rest to
// another.
type functions struct {
	lambda *Lambda
	rest   asl.TaskRunner
}

// RunTask implements [asl.TaskRunner].
func (f functions) RunTask(ctx context.Context, t asl.Task) (any, error) {
	if invokesFunction(t.Resource) {
		return f.lambda.RunTask(ctx, t)
	}
	return f.rest.RunTask(ctx, t)
}
