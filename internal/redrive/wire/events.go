package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/internal/redrive"
)

var (
	lambda      = awsjson.Service{Name: "lambda", Variable: "LAMBDA"}
	eventBridge = awsjson.Service{Name: "events", Variable: "EVENTBRIDGE", Target: "AWSEvents", Version: "1.1"}
)

// invoke passes an event to a function as EventBridge does: Lambda accepts it, and runs
// and retries it asynchronously.
//
// [Invoke]: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (w *Wire) invoke(ctx context.Context, p *redrive.Parcel) error {
	refuse := func(err error) error { return &redrive.Refusal{Err: err} }
	cfg, err := awsenv.Config(w.getenv, lambda.Variable)
	if err != nil {
		return refuse(err)
	}
	region := redrive.RegionOf(p.Target.Address)
	if !strings.HasPrefix(p.Target.Address, "arn:") {
		region = cfg.Region
	}
	endpoint := awsenv.Endpoint(w.getenv, lambda.Variable)
	if endpoint == "" {
		endpoint = "https://" + awsjson.Host(lambda, region, awsenv.FIPS(w.getenv), awsenv.DualStack(w.getenv))
	}
	path := "/2015-03-31/functions/" + p.Target.Address + "/invocations"
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil {
		return refuse(err)
	}
	u.RawPath = u.EscapedPath() + "/2015-03-31/functions/" + httpbinding.EscapePath(p.Target.Address, true) + "/invocations"
	u.Path += path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(p.Event))
	if err != nil {
		return refuse(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Invocation-Type", "Event")
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return refuse(err)
	}
	sum := sha256.Sum256(p.Event)
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), lambda.Name, region, time.Now()); err != nil {
		return refuse(err)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		if unsent(err) {
			return &redrive.Refusal{Err: err, Passes: true}
		}
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // the status is in the error
	switch {
	case resp.StatusCode < 300:
		return nil
	case resp.StatusCode < 500:
		return &redrive.Refusal{
			Err:    fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(answer)),
			Passes: resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout,
		}
	}
	return errors.New(resp.Status)
}

// putEvent puts an event on a bus. It gets a new id there.
//
// [PutEvents]: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (w *Wire) putEvent(ctx context.Context, p *redrive.Parcel) error {
	var event struct {
		Source     string          `json:"source"`
		DetailType string          `json:"detail-type"`
		Resources  []string        `json:"resources"`
		Time       string          `json:"time"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(p.Event, &event); err != nil {
		return &redrive.Refusal{Err: err}
	}
	entry := map[string]any{
		"Source": event.Source, "DetailType": event.DetailType, "Detail": string(event.Detail), "EventBusName": p.Target.Address,
	}
	if len(event.Resources) > 0 {
		entry["Resources"] = event.Resources
	}
	if at, err := time.Parse(time.RFC3339, event.Time); err == nil {
		entry["Time"] = at.Unix()
	}
	client, err := awsjson.New(w.getenv, eventBridge)
	if err != nil {
		return &redrive.Refusal{Err: err}
	}
	if strings.HasPrefix(p.Target.Address, "arn:") {
		client = client.In(redrive.RegionOf(p.Target.Address))
	}
	var out struct {
		FailedEntryCount int
		Entries          []struct{ ErrorCode, ErrorMessage string }
	}
	unsent, err := client.Once(ctx, "PutEvents", map[string]any{"Entries": []any{entry}}, &out)
	var answer *awsjson.Error
	switch {
	case unsent:
		return &redrive.Refusal{Err: err, Passes: true}
	case errors.As(err, &answer) && answer.Status >= 400 && answer.Status < 500:
		return &redrive.Refusal{Err: err, Passes: answer.Passes()}
	case err != nil:
		return err
	case out.FailedEntryCount > 0 && len(out.Entries) > 0:
		e := out.Entries[0]
		return &redrive.Refusal{Err: fmt.Errorf("%s: %s", e.ErrorCode, e.ErrorMessage), Passes: e.ErrorCode == "ThrottlingException" || e.ErrorCode == "InternalFailure"}
	}
	return nil
}
