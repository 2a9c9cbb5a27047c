// Package awsenv makes SDK configurations from what Lambda's environment holds.
//
// config.LoadDefaultConfig reads files and calls services for what a Lambda function
// already has in its environment, and costs two milliseconds of every cold start and two
// megabytes. The packages that call AWS share this package instead.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrNone is returned by [Config] if the environment does not name a region and
// credentials, as Lambda's always does.
var ErrNone = errors.New("the environment holds no AWS configuration")

// Config returns the configuration that the environment holds: AWS_REGION (or
// AWS_DEFAULT_REGION), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and
// the custom endpoint of a service (see [Endpoint]). It reads no files and sends no
// requests. The credentials of an invocation's environment do not change while the
// process lives.
func Config(getenv func(string) string, service string) (aws.Config, error) {
	credentials := aws.Credentials{
		AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "Environment",
	}
	cfg := aws.Config{
		Region: First(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
	if endpoint := Endpoint(getenv, service); endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return aws.Config{}, fmt.Errorf("AWS_ENDPOINT_URL_%s or AWS_ENDPOINT_URL is not an http or https URL: %q", service, endpoint)
		}
		cfg.BaseEndpoint = aws.String(endpoint)
	}
	var missing []string
	if cfg.Region == "" {
		missing = append(missing, "AWS_REGION")
	}
	if credentials.AccessKeyID == "" {
		missing = append(missing, "AWS_ACCESS_KEY_ID")
	}
	if credentials.SecretAccessKey == "" {
		missing = append(missing, "AWS_SECRET_ACCESS_KEY")
	}
	if len(missing) > 0 {
		return aws.Config{}, fmt.Errorf("%w: %s not set", ErrNone, strings.Join(missing, ", "))
	}
	return cfg, nil
}

// Endpoint returns the custom endpoint that the [environment] names for a service, by its
// suffix there: SFN, SQS, DYNAMODB, SSM or SECRETS_MANAGER. It is empty if AWS's own
// endpoint is used.
//
// [environment]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func Endpoint(getenv func(string) string, service string) string {
	if isTrue(getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
		return ""
	}
	return First(getenv("AWS_ENDPOINT_URL_"+service), getenv("AWS_ENDPOINT_URL"))
}

// FIPS and DualStack report which of AWS's own endpoints the environment asks for.
func FIPS(getenv func(string) string) bool { return isTrue(getenv("AWS_USE_FIPS_ENDPOINT")) }

// DualStack: see [FIPS].
func DualStack(getenv func(string) string) bool { return isTrue(getenv("AWS_USE_DUALSTACK_ENDPOINT")) }

// isTrue reports whether a variable says true, as the SDKs read it.
func isTrue(s string) bool { return strings.EqualFold(s, "true") }

// First returns the first non-empty text.
func First(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
