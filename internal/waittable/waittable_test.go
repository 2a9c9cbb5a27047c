package waittable_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/waittable"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// table answers every request, and keeps the last.
func table(t *testing.T, status int, answer string) (getenv func(string) string, url string, last *string) {
	t.Helper()
	last = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*last = r.Header.Get("X-Amz-Target") + " " + string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_DYNAMODB": server.URL}
	return func(name string) string { return env[name] }, server.URL, last
}

// The request is the SDK's own, consistent, and the item's texts come back.
func TestItem(t *testing.T) {
	t.Parallel()
	getenv, url, last := table(t, 200, `{"Item":{"id":{"S":"o-1"},"token":{"S":"tok"},"n":{"N":"5"},"l":{"L":[{"S":"x"}]}}}`)
	d, err := waittable.New(getenv)
	if err != nil {
		t.Fatal(err)
	}
	sdk := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")})
	for key, value := range map[any]types.AttributeValue{"o-1": &types.AttributeValueMemberS{Value: "o-1"}, json.Number("17"): &types.AttributeValueMemberN{Value: "17"}} {
		item, found, err := d.Item(t.Context(), "waits", "id", key)
		if diff := cmp.Diff(map[string]string{"id": "o-1", "token": "tok"}, item); err != nil || !found || diff != "" {
			t.Errorf("found %v, %v (-want +got):\n%s", found, err, diff)
		}
		got := *last
		_, err = sdk.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String("waits"), Key: map[string]types.AttributeValue{"id": value}, ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(normal(t, *last), normal(t, got)); diff != "" {
			t.Errorf("request (-SDK +ours):\n%s", diff)
		}
	}
}

func normal(t *testing.T, request string) any {
	t.Helper()
	target, body, _ := strings.Cut(request, " ")
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	v["target"] = target
	return v
}

func TestNoItem(t *testing.T) {
	t.Parallel()
	getenv, _, _ := table(t, 200, `{}`)
	d, err := waittable.New(getenv)
	if err != nil {
		t.Fatal(err)
	}
	if item, found, err := d.Item(t.Context(), "waits", "id", "x"); item != nil || found || err != nil {
		t.Errorf("got %v, %v, %v, want nothing", item, found, err)
	}
	if _, _, err := d.Item(context.Background(), "waits", "id", true); err == nil {
		t.Error("a key that is neither text nor number is accepted")
	}
}

// Configuration errors are distinguished from temporary failures.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}`: "ResourceNotFoundException",
		`{"__type":"ValidationException"}`:                                        "keyAttribute",
		`{"__type":"AccessDeniedException"}`:                                      "dynamodb:GetItem",
		`{"__type":"ProvisionedThroughputExceededException"}`:                     "",
	} {
		getenv, _, _ := table(t, 400, answer)
		d, err := waittable.New(getenv)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = d.Item(t.Context(), "waits", "id", "secret-key")
		var f *bridge.Failure
		if errors.As(err, &f) != (want != "") || want != "" && (f.Name != bridge.Misconfigured || !strings.Contains(f.Cause, want)) || strings.Contains(err.Error(), "secret-key") {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
}
