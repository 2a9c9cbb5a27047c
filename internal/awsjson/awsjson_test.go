package awsjson

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/awsenv"
)

// Every endpoint is the one that the SDK's own rules name.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	resolve := map[Service]func(region string, fips, dual bool) (smithyendpoints.Endpoint, error){
		SSM: func(region string, fips, dual bool) (smithyendpoints.Endpoint, error) {
			return ssm.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				ssm.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
		},
		SecretsManager: func(region string, fips, dual bool) (smithyendpoints.Endpoint, error) {
			return secretsmanager.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				secretsmanager.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
		},
		SQS: func(region string, fips, dual bool) (smithyendpoints.Endpoint, error) {
			return sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				sqs.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
		},
		StepFunctions: func(region string, fips, dual bool) (smithyendpoints.Endpoint, error) {
			return sfn.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				sfn.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
		},
		DynamoDB: func(region string, fips, dual bool) (smithyendpoints.Endpoint, error) {
			return dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				dynamodb.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
		},
	}
	for service, sdk := range resolve {
		for _, region := range []string{
			"us-east-1", "eu-central-1", "ap-southeast-7", "ca-west-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "eusc-de-east-1",
			"us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1",
		} {
			for _, fips := range []bool{false, true} {
				for _, dual := range []bool{false, true} {
					want, err := sdk(region, fips, dual)
					if err != nil {
						continue // there is none of this kind
					}
					if got := "https://" + Host(service, region, fips, dual); got != want.URI.String() {
						t.Errorf("%s in %s, FIPS %v, dual stack %v: %s, want %s", service.Name, region, fips, dual, got, want.URI.String())
					}
				}
			}
		}
	}
}

// A sent request, without what is the SDK's own affair.
type sent struct {
	Method, Path, Type, Target, Token, Scope, Body string
}

// recorder notes the last request, and answers {}.
func recorder(t *testing.T) (string, *sent) {
	t.Helper()
	last := &sent{}
	scope := regexp.MustCompile(`Credential=AKID/\d+/(\S+), `)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		*last = sent{
			r.Method, r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Target"), r.Header.Get("X-Amz-Security-Token"),
			fmt.Sprint(scope.FindStringSubmatch(r.Header.Get("Authorization"))), string(body),
		}
		last.Scope = regexp.MustCompile(`/\d{8}/`).ReplaceAllString(last.Scope, "/DAY/")
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(server.Close)
	return server.URL, last
}

// Requests are those of the SDK's own packages.
func TestRequests(t *testing.T) {
	t.Parallel()
	url, last := recorder(t)
	getenv := func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token",
			"AWS_ENDPOINT_URL": url,
		}[name]
	}
	for name, test := range map[string]struct {
		service   Service
		operation string
		in        any
		sdk       func(context.Context, aws.Config) error
	}{
		"states": {StepFunctions, "SendTaskSuccess", map[string]any{"output": "{}", "taskToken": "t"}, func(ctx context.Context, cfg aws.Config) error {
			_, err := sfn.NewFromConfig(cfg).SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String("t"), Output: aws.String("{}")})
			return err
		}},
		"ssm": {SSM, "GetParameter", map[string]any{"Name": "/a", "WithDecryption": true}, func(ctx context.Context, cfg aws.Config) error {
			_, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/a"), WithDecryption: aws.Bool(true)})
			return err
		}},
		"secretsmanager": {SecretsManager, "GetSecretValue", map[string]any{"SecretId": "a"}, func(ctx context.Context, cfg aws.Config) error {
			_, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
			return err
		}},
		"dynamodb": {DynamoDB, "DeleteItem", map[string]any{"Key": map[string]any{"id": map[string]string{"S": "a"}}, "TableName": "t"}, func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).DeleteItem(ctx, &dynamodb.DeleteItemInput{
				TableName: aws.String("t"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}},
			}, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
			return err
		}},
		"sqs": {SQS, "ChangeMessageVisibilityBatch", map[string]any{
			"Entries": []any{map[string]any{"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": 7}}, "QueueUrl": "u",
		}, func(ctx context.Context, cfg aws.Config) error {
			_, err := sqs.NewFromConfig(cfg).ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{
				QueueUrl: aws.String("u"),
				Entries:  []sqstypes.ChangeMessageVisibilityBatchRequestEntry{{Id: aws.String("0"), ReceiptHandle: aws.String("r"), VisibilityTimeout: 7}},
			})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := awsenv.Config(getenv, test.service.Variable)
			if err != nil {
				t.Fatal(err)
			}
			if err := test.sdk(t.Context(), cfg); err != nil {
				t.Fatalf("the SDK: %v", err)
			}
			want := *last
			c, err := New(getenv, test.service)
			if err != nil {
				t.Fatal(err)
			}
			var out struct{}
			if err := c.Call(t.Context(), test.operation, test.in, &out); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, *last); diff != "" {
				t.Errorf("request (-SDK's +ours):\n%s", diff)
			}
		})
	}
}

// An overly long answer is not read to its end. The test does not use the network, which
// takes long for four megabytes on a busy machine.
func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	c, err := New(func(string) string { return "http://x" }, SSM)
	if err != nil {
		t.Fatal(err)
	}
	body := &spaces{}
	c.http = doFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	})
	if err := c.Call(t.Context(), "GetParameter", struct{}{}, &struct{}{}); !errors.Is(err, ErrUnreadable) || body.read != maxAttempts*(maxAnswer+1) {
		t.Errorf("error = %v after %d bytes, want ErrUnreadable after one too many, each time", err, body.read)
	}
}

// spaces continue forever.
type spaces struct{ read int }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += len(p)
	return len(p), nil
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// An endpoint that nothing can be sent to is refused at the start.
func TestBadEndpoint(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"localhost", "http://a b", "ftp://localhost"} {
		_, err := New(func(name string) string {
			if name == "AWS_ENDPOINT_URL_SSM" {
				return endpoint
			}
			return "x"
		}, SSM)
		if err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_SSM") {
			t.Errorf("%s: %v, want an error that names the variable", endpoint, err)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ header, body, want string }{
		{"", `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`, "ConditionalCheckFailedException"},
		{"", `{"__type":"ParameterNotFound"}`, "ParameterNotFound"},
		{"", `{"code":"Throttling"}`, "Throttling"},
		{"AccessDeniedException:http://internal.amazon.com/coral/", `{"__type":"other"}`, "AccessDeniedException"},
		{"", `<html>`, ""},
		{"", ``, ""},
	} {
		resp := &http.Response{Header: http.Header{}}
		resp.Header.Set("X-Amzn-Errortype", test.header)
		if got := code(resp, []byte(test.body)); got != test.want {
			t.Errorf("code of %q and %q = %q, want %q", test.header, test.body, got, test.want)
		}
	}
}
