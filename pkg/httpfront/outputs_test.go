package httpfront_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// What a workflow may say as a Lambda function would, and what it may not.
func TestEdgesOfOutputs(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, `"x-%d":"%d",`, i, i)
	}
	tests := map[string]struct {
		output string
		status int
		header map[string]string // that the answer has; an empty value means not at all
		body   string
	}{
		"a status as text":             {`{"statusCode":"404"}`, 404, nil, ""},
		"a status with an exponent":    {`{"statusCode":2.01e2}`, 201, nil, ""},
		"a status with zeroes":         {`{"statusCode":200.000}`, 200, nil, ""},
		"a status with a fraction":     {`{"statusCode":200.5}`, 502, nil, ""},
		"a status beyond numbers":      {`{"statusCode":1e400}`, 502, nil, ""},
		"a status that is negative":    {`{"statusCode":-200}`, 502, nil, ""},
		"a status that is provisional": {`{"statusCode":100}`, 502, nil, ""},
		"a status in text with space":  {`{"statusCode":" 200"}`, 502, nil, ""},
		"a status that is escaped":     {`{"status\u0043ode":204}`, 204, nil, ""},
		"a status that is a list":      {`{"statusCode":[200]}`, 502, nil, ""},
		"hop by hop":                   {`{"statusCode":200,"headers":{"Connection":"close","transfer-encoding":"chunked","TE":"x","Upgrade":"h2c","Keep-Alive":"1","Trailer":"x","X-A":"1"}}`, 200, map[string]string{"Connection": "", "Transfer-Encoding": "", "Te": "", "Upgrade": "", "Keep-Alive": "", "Trailer": "", "X-A": "1"}, ""},
		"a length that lies":           {`{"statusCode":200,"headers":{"Content-Length":"9999"},"body":"x"}`, 200, map[string]string{"Content-Length": ""}, "x"},
		"a thousand headers":           {`{"statusCode":200,"headers":{` + strings.TrimSuffix(many.String(), ",") + `}}`, 200, map[string]string{"X-0": "0", "X-999": "999"}, ""},
		"headers of other types":       {`{"statusCode":200,"headers":{"x-n":1e3,"x-b":false,"x-l":["a",1]}}`, 200, map[string]string{"X-N": "1e3", "X-B": "false", "X-L": "a, 1"}, ""},
		"a header that is null":        {`{"statusCode":200,"headers":{"x":null}}`, 200, map[string]string{}, ""},
		"a header that is an object":   {`{"statusCode":200,"headers":{"x":{}}}`, 502, nil, ""},
		"a header without a name":      {`{"statusCode":200,"headers":{"":"x"}}`, 502, nil, ""},
		"a header with a colon":        {`{"statusCode":200,"headers":{"a: b":"x"}}`, 502, nil, ""},
		"a NUL in a header":            {`{"statusCode":200,"headers":{"a":"\u0000"}}`, 502, nil, ""},
		"nulls":                        {`{"statusCode":200,"headers":null,"cookies":null,"body":null,"isBase64Encoded":null}`, 200, nil, ""},
		"a body with 204":              {`{"statusCode":204,"headers":{"Content-Type":"text/plain"},"body":"x"}`, 204, map[string]string{"Content-Type": ""}, ""},
		"a body with 304":              {`{"statusCode":304,"headers":{"ETag":"\"a\""},"body":"x"}`, 304, map[string]string{"Etag": `"a"`}, ""},
		"base64 of a string":           {`{"statusCode":200,"headers":{"Content-Type":"text/plain"},"body":"aMOp","isBase64Encoded":true}`, 200, nil, "hé"},
		"base64 without its padding":   {`{"statusCode":200,"body":"aMO","isBase64Encoded":true}`, 502, nil, ""},
		"statusCode inside only":       {`{"a":{"statusCode":201}}`, 200, map[string]string{"Content-Type": "application/json"}, `{"a":{"statusCode":201}}`},
		"statusCode in a list":         {`[{"statusCode":201}]`, 200, nil, `[{"statusCode":201}]`},
		"statusCode as a value":        {`"statusCode"`, 200, nil, `"statusCode"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, open, succeedWith(test.output), post(`{}`))
			if got.StatusCode != test.status {
				t.Fatalf("got %d %.200s, want %d", got.StatusCode, got.Body, test.status)
			}
			if test.status == 502 {
				if !strings.Contains(got.Body, bridge.BadResponse) {
					t.Errorf("got %s, want %s", got.Body, bridge.BadResponse)
				}
				return
			}
			for name, want := range test.header {
				if diff := cmp.Diff(want, got.Headers[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if got.Body != test.body {
				t.Errorf("body = %q, want %q", got.Body, test.body)
			}
		})
	}
}
