package tasks

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
)

// localNames are the variables in which Step Functions Local expects the endpoints of
// services, if they do not follow from the service's name.
var localNames = map[string]string{
	"lambda": "LAMBDA_ENDPOINT", "sfn": "STEP_FUNCTIONS_ENDPOINT", "eventbridge": "EVENTS_ENDPOINT",
}

// endpoints returns the endpoints that an environment names, in this order:
// AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, and the names of Step Functions Local, such
// as DYNAMODB_ENDPOINT. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS turns the first two off.
//
// [Service-specific endpoints]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func endpoints(getenv func(string) string) func(*awsmodel.Service) string {
	return func(s *awsmodel.Service) string {
		if !strings.EqualFold(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
			for _, name := range []string{"AWS_ENDPOINT_URL_" + s.Variable, "AWS_ENDPOINT_URL"} {
				if v := getenv(name); v != "" {
					return v
				}
			}
		}
		name, ok := localNames[s.Name]
		if !ok {
			name = s.Variable + "_ENDPOINT"
		}
		return getenv(name)
	}
}
