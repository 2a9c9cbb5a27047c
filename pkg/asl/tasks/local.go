package tasks

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
)

// FromEnv returns what runs tasks at the endpoints that an environment names (see
// [Endpoints]): Lambda functions, and actions of other services. What has no endpoint
// fails with a cause that says what to do. The region is for signatures.
func FromEnv(getenv func(string) string, region string) asl.TaskRunner {
	endpoint := Endpoints(getenv)
	services := &Services{
		Endpoint: endpoint, Region: region,
		Credentials: aws.Credentials{
			AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    getenv("AWS_SESSION_TOKEN"),
		},
	}
	service, _ := awsmodel.Lookup("lambda")
	if url := endpoint(service); url != "" {
		return functions{&Lambda{Endpoint: url, Client: http.DefaultClient}, services}
	}
	return services
}

// functions hands the tasks that invoke a function to one runner, and the rest to another.
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
