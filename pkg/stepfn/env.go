package stepfn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrNoEnvironment is what [FromEnv] returns where the environment names no region
// or no credentials, as Lambda's always does.
var ErrNoEnvironment = errors.New("the environment holds no AWS configuration")

// FromEnv returns the Options that Lambda's environment holds: AWS_REGION (or
// AWS_DEFAULT_REGION), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
// AWS_ENDPOINT_URL_SFN, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
// AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT. It reads no files and asks
// nobody. The credentials of an invocation's environment do not change while the
// process lives.
func FromEnv(getenv func(string) string) (Options, error) {
	o := Options{
		Region:    first(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		FIPS:      isTrue(getenv("AWS_USE_FIPS_ENDPOINT")),
		DualStack: isTrue(getenv("AWS_USE_DUALSTACK_ENDPOINT")),
		Endpoint:  endpoint(getenv),
		Getenv:    getenv,
	}
	credentials := aws.Credentials{
		AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "Environment",
	}
	var missing []string
	if o.Region == "" {
		missing = append(missing, "AWS_REGION")
	}
	if credentials.AccessKeyID == "" {
		missing = append(missing, "AWS_ACCESS_KEY_ID")
	}
	if credentials.SecretAccessKey == "" {
		missing = append(missing, "AWS_SECRET_ACCESS_KEY")
	}
	if len(missing) > 0 {
		return Options{}, fmt.Errorf("%w: %s not set", ErrNoEnvironment, strings.Join(missing, ", "))
	}
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return credentials, nil
	})
	return o, nil
}

// FromConfig returns the Options of an SDK configuration that was made elsewhere,
// with the endpoint and the trace header of the environment. Its retry settings do
// not count.
func FromConfig(cfg aws.Config, getenv func(string) string) Options {
	return Options{
		Region:      cfg.Region,
		Credentials: cfg.Credentials,
		Endpoint:    first(endpoint(getenv), aws.ToString(cfg.BaseEndpoint)),
		FIPS:        isTrue(getenv("AWS_USE_FIPS_ENDPOINT")),
		DualStack:   isTrue(getenv("AWS_USE_DUALSTACK_ENDPOINT")),
		HTTPClient:  cfg.HTTPClient,
		Getenv:      getenv,
	}
}

// endpoint is the custom endpoint that the [environment] names.
//
// [environment]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func endpoint(getenv func(string) string) string {
	if isTrue(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
		return ""
	}
	return first(getenv("AWS_ENDPOINT_URL_SFN"), getenv("AWS_ENDPOINT_URL"))
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") }

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
