package stepfn

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// ErrNoEnvironment is returned by [FromEnv] if the environment does not name a region and
// credentials, as Lambda's always does.
var ErrNoEnvironment = awsenv.ErrNone

// endpointName is the name of Step Functions in environment variables.
const endpointName = "SFN"

// FromEnv returns the Options that Lambda's environment holds: AWS_REGION (or
// AWS_DEFAULT_REGION), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
// AWS_ENDPOINT_URL_SFN, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
// AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, and the X-Ray daemon of
// AWS_XRAY_DAEMON_ADDRESS. It reads no files and sends no requests. The credentials of an
// invocation's environment do not change while the process lives.
func FromEnv(getenv func(string) string) (Options, error) {
	cfg, err := awsenv.Config(getenv, endpointName)
	if err != nil {
		return Options{}, err
	}
	return FromConfig(cfg, getenv), nil
}

// FromConfig returns the Options of an SDK configuration that was made elsewhere, with
// the endpoint, the trace header and the X-Ray daemon of the environment. Its retry
// settings are ignored.
func FromConfig(cfg aws.Config, getenv func(string) string) Options {
	return Options{
		Region:      cfg.Region,
		Credentials: cfg.Credentials,
		Endpoint:    awsenv.First(awsenv.Endpoint(getenv, endpointName), aws.ToString(cfg.BaseEndpoint)),
		FIPS:        awsenv.FIPS(getenv),
		DualStack:   awsenv.DualStack(getenv),
		HTTPClient:  cfg.HTTPClient,
		Getenv:      getenv,
		Recorder:    trace.NewRecorder(trace.RecorderOptions{Address: trace.DaemonAddress(getenv(trace.DaemonName))}),
	}
}
