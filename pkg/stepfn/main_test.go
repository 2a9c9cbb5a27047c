package stepfn_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs every test of the package in an environment that asks the SDK to repeat
// requests, and to set a trace header of its own.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_MAX_ATTEMPTS":         "5",
		"AWS_RETRY_MODE":           "adaptive",
		"AWS_NEW_RETRIES_2026":     "true",
		"AWS_LAMBDA_FUNCTION_NAME": "webhook",
		"_X_AMZN_TRACE_ID":         "Root=1-00000000-000000000000000000000bad;Sampled=1",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
