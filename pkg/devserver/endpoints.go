package devserver

import (
	"cmp"
	"context"
	"errors"

	"github.com/expressway-dev/expressway/internal/s3put"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// endpoint returns the endpoint that the environment names for a service, such as SQS, or
// "". The credentials on a laptop must not be enough to send anything to AWS.
func endpoint(getenv func(string) string, service string) string {
	return cmp.Or(getenv("AWS_ENDPOINT_URL_"+service), getenv("AWS_ENDPOINT_URL"))
}

// localEnv adds to the environment the variables that clients of a local endpoint need.
func localEnv(getenv func(string) string) func(string) string {
	defaults := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	}
	return func(name string) string { return cmp.Or(getenv(name), defaults[name]) }
}

// offloader puts large inputs into the buckets of the endpoint that the environment names.
func offloader(getenv func(string) string) bridge.Offloader {
	if endpoint(getenv, "S3") == "" {
		return noBuckets{}
	}
	return s3put.New(localEnv(getenv))
}

type noBuckets struct{}

// Put implements [bridge.Offloader].
func (noBuckets) Put(context.Context, bridge.Object) error {
	return errors.New("offload needs buckets: set AWS_ENDPOINT_URL_S3 to an endpoint, such as that of MinIO")
}
