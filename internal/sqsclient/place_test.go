package sqsclient

import "testing"

// A dead-letter queue may be in another region than the function.
func TestURLRegion(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/123456789012/dead":     "eu-west-1",
		"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/dead": "cn-north-1",
		"https://queue.amazonaws.com/123456789012/dead":             "",
		"http://127.0.0.1:9324/123456789012/dead":                   "",
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/dead":    "",
		"https://sqs.eu-west-1.example.com/123456789012/dead":       "",
		":": "",
	} {
		if got := urlRegion(url); got != want {
			t.Errorf("urlRegion(%s) = %q, want %q", url, got, want)
		}
	}
}

func TestQueueURL(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ custom, arn, want, region string }{
		"AWS":    {"", "arn:aws:sqs:eu-west-1:123456789012:orders", "https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "eu-west-1"},
		"China":  {"", "arn:aws-cn:sqs:cn-north-1:123456789012:o.fifo", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/o.fifo", "cn-north-1"},
		"custom": {"http://127.0.0.1:9324/", "arn:aws:sqs:us-east-1:123456789012:orders", "http://127.0.0.1:9324/123456789012/orders", "us-east-1"},
	}
	for name, test := range tests {
		c := &Client{custom: test.custom}
		got, region, err := c.queueURL(test.arn)
		if err != nil || got != test.want || region != test.region {
			t.Errorf("%s: got = %s in %s, %v, want %s in %s", name, got, region, err, test.want, test.region)
		}
	}
	for _, arn := range []string{"", "orders", "arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sqs:::", "arn:aws:sqs:us-east-1:123456789012:"} {
		if _, _, err := (&Client{}).queueURL(arn); err == nil {
			t.Errorf("no error for %q", arn)
		}
	}
}
