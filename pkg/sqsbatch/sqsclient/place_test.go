package sqsclient

import "testing"

// A dead-letter queue may be in a different region from the function.
func TestURLRegion(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/123456789012/dead":      "eu-west-1",
		"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/dead":  "cn-north-1",
		"https://queue.amazonaws.com/123456789012/dead":              "",
		"http://127.0.0.1:9324/123456789012/dead":                    "",
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/dead":     "",
		"https://sqs.eu-west-1.example.com/123456789012/dead":        "",
		"https://sqs-fips.us-west-2.amazonaws.com/123456789012/dead": "us-west-2",
		"https://sqs.us-east-2.api.aws/123456789012/dead":            "us-east-2",
		"https://sqs-fips.us-east-2.api.aws/123456789012/dead":       "us-east-2",
		"https://sqs.us-gov-west-1.amazonaws.com/123456789012/dead":  "us-gov-west-1",
		"https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/dead":  "eusc-de-east-1",
		"https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/dead":     "us-iso-east-1",
		"https://eu-west-1.queue.amazonaws.com/123456789012/dead":    "eu-west-1",
		"https://sqs.example.com/123456789012/dead":                  "",
		"https://sqs/123456789012/dead":                              "",
		":":                                                          "",
	} {
		if got := urlRegion(url); got != want {
			t.Errorf("urlRegion(%s) = %q, want %q", url, got, want)
		}
	}
}

func TestQueueURL(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ custom, arn, want string }{
		"AWS":    {"", "arn:aws:sqs:eu-west-1:123456789012:orders", "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"},
		"China":  {"", "arn:aws-cn:sqs:cn-north-1:123456789012:o.fifo", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/o.fifo"},
		"Gov":    {"", "arn:aws-us-gov:sqs:us-gov-east-1:123456789012:o", "https://sqs.us-gov-east-1.amazonaws.com/123456789012/o"},
		"Europe": {"", "arn:aws-eusc:sqs:eusc-de-east-1:123456789012:o", "https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/o"},
		"secret": {"", "arn:aws-iso:sqs:us-iso-east-1:123456789012:o", "https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/o"},
		"custom": {"http://127.0.0.1:9324/", "arn:aws:sqs:us-east-1:123456789012:orders", "http://127.0.0.1:9324/123456789012/orders"},
	}
	for name, test := range tests {
		c := FromEnv(func(variable string) string {
			return map[string]string{
				"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_SQS": test.custom,
			}[variable]
		})
		q, err := parseARN(test.arn)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		client, err := c.in(q.region)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := q.url(client.Endpoint()); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	for _, arn := range []string{"", "orders", "arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sqs:::", "arn:aws:sqs:us-east-1:123456789012:"} {
		if _, err := parseARN(arn); err == nil {
			t.Errorf("no error for %q", arn)
		}
	}
}
