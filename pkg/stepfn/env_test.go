package stepfn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// An endpoint that can never be reached is reported at start-up, not with every delivery.
func TestEndpointsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"127.0.0.1:8083", "127.0.0.1", "localhost:8083", "http://", "ftp://a", "http://a b"} {
		env := map[string]string{
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_ENDPOINT_URL_SFN": endpoint,
		}
		_, err := stepfn.FromEnv(func(name string) string { return env[name] })
		if err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_SFN or AWS_ENDPOINT_URL is not an http or https URL") {
			t.Errorf("%q: %v, want an error that names the variable", endpoint, err)
		}
	}
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_SESSION_TOKEN": "TOKEN",
	}
	with := func(pairs ...string) func(string) string {
		env := map[string]string{}
		for k, v := range base {
			env[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			env[pairs[i]] = pairs[i+1]
		}
		return func(name string) string { return env[name] }
	}
	tests := map[string]struct {
		getenv           func(string) string
		region, endpoint string
		missing          string
	}{
		"Lambda":             {getenv: with(), region: "eu-west-1"},
		"default region":     {getenv: with("AWS_REGION", "", "AWS_DEFAULT_REGION", "us-east-2"), region: "us-east-2"},
		"endpoint":           {getenv: with("AWS_ENDPOINT_URL", "http://a"), region: "eu-west-1", endpoint: "http://a"},
		"endpoint of SFN":    {getenv: with("AWS_ENDPOINT_URL", "http://a", "AWS_ENDPOINT_URL_SFN", "http://b"), region: "eu-west-1", endpoint: "http://b"},
		"endpoints ignored":  {getenv: with("AWS_ENDPOINT_URL", "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), region: "eu-west-1"},
		"no region":          {getenv: with("AWS_REGION", ""), missing: "AWS_REGION"},
		"no credentials":     {getenv: with("AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", ""), missing: "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"},
		"half a credential":  {getenv: with("AWS_SECRET_ACCESS_KEY", ""), missing: "AWS_SECRET_ACCESS_KEY"},
		"nothing whatsoever": {getenv: func(string) string { return "" }, missing: "AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			o, err := stepfn.FromEnv(tt.getenv)
			if tt.missing != "" {
				if !errors.Is(err, stepfn.ErrNoEnvironment) || !strings.Contains(err.Error(), ": "+tt.missing+" not set") {
					t.Errorf("error = %v, want %s missing", err, tt.missing)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if o.Region != tt.region || o.Endpoint != tt.endpoint {
				t.Errorf("region, endpoint = %q, %q, want %q, %q", o.Region, o.Endpoint, tt.region, tt.endpoint)
			}
			c, err := o.Credentials.Retrieve(t.Context())
			if err != nil || c.AccessKeyID != "AKID" || c.SecretAccessKey != "SECRET" || c.SessionToken != "TOKEN" {
				t.Errorf("credentials = %v, %v, want the environment's", c.AccessKeyID, err)
			}
		})
	}
}

func TestFromConfig(t *testing.T) {
	t.Parallel()
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://config"), Credentials: credentials}
	env := map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}
	o := stepfn.FromConfig(cfg, func(n string) string { return env[n] })
	if o.Region != "eu-west-1" || o.Endpoint != "http://config" || !o.FIPS || o.DualStack || o.Credentials == nil {
		t.Errorf("options = %+v, want the configuration's", o)
	}
	env["AWS_ENDPOINT_URL_SFN"] = "http://env"
	if o := stepfn.FromConfig(cfg, func(n string) string { return env[n] }); o.Endpoint != "http://env" {
		t.Errorf("endpoint = %q, want the environment's", o.Endpoint)
	}
}
