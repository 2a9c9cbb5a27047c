package redrive

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// Routes implements [Keys] for the routes of a configuration.
type Routes struct {
	region, account string
	batch           *sqsbatch.Batch
	events          *eventbridge.Events
}

// NewRoutes returns the Keys of routes. Region and account are used for queues whose
// address does not name them.
func NewRoutes(routes []*config.Route, region, account string) *Routes {
	r := &Routes{region: region, account: account}
	begun := time.Now()
	var looks atomic.Int64
	// Each reading of the clock is a minute later, so that a key that depends on the time
	// turns out to be unstable.
	b := bridge.New(nil, bridge.Options{Now: func() time.Time {
		return begun.Add(time.Duration(looks.Add(1)) * time.Minute)
	}})
	r.batch, r.events = sqsbatch.New(routes, b, sqsbatch.Options{}), eventbridge.New(routes, b, eventbridge.Options{})
	return r
}

// Known implements [Keys]. It makes two deliveries of the parcel, and compares their keys:
// a key that depends on what SQS or a bus adds is not stable. If the key cannot be
// computed, there is none, because the delivery claims nothing either.
func (r *Routes) Known(ctx context.Context, p *Parcel) (Known, error) {
	of := r.events.DedupeKey
	if p.Target.Place == ToQueue {
		of = r.batch.DedupeKey
	}
	var known Known
	for n := range 2 {
		delivery, err := r.delivery(p, n)
		if err != nil {
			return Known{}, err
		}
		route, key, err := of(ctx, delivery)
		if route != nil {
			known.Route = route.Name
		}
		if err != nil {
			return Known{Route: known.Route}, nil
		}
		known.Stable = n == 1 && key == known.Record
		known.Record = key
	}
	if !known.Stable && p.Target.Place != ToFunction {
		known.Record = "" // the record belongs to a delivery that does not exist yet
	}
	return known, nil
}

// delivery returns the nth event in which the function gets the parcel.
func (r *Routes) delivery(p *Parcel, n int) ([]byte, error) {
	switch p.Target.Place {
	case ToFunction:
		return p.Event, nil
	case ToBus:
		var event map[string]json.RawMessage
		if err := json.Unmarshal(p.Event, &event); err != nil {
			return nil, err
		}
		event["id"] = json.RawMessage(fmt.Sprintf(`"%d"`, n))
		event["time"] = json.RawMessage(fmt.Sprintf(`"2026-01-01T00:00:0%dZ"`, n))
		delete(event, "replay-name")
		return json.Marshal(event)
	}
	m := p.Message
	count := fmt.Sprint(1 + n)
	system := map[string]string{
		"ApproximateReceiveCount": count, sentTimestamp: count, "ApproximateFirstReceiveTimestamp": count, "SenderId": "redrive",
	}
	for name, value := range map[string]string{messageGroup: m.GroupID, deduplicationID: m.DeduplicationID, traceHeader: m.TraceHeader} {
		if value != "" {
			system[name] = value
		}
	}
	if p.Target.fifo() {
		system["SequenceNumber"] = count
	}
	type attribute struct {
		DataType    string `json:"dataType"`
		StringValue string `json:"stringValue,omitempty"`
		BinaryValue string `json:"binaryValue,omitempty"`
	}
	own := map[string]attribute{}
	for name, a := range m.Attributes {
		own[name] = attribute{a.DataType, a.Text, base64.StdEncoding.EncodeToString(a.Binary)}
	}
	record := map[string]any{
		"messageId": "redrive-" + count, "receiptHandle": count, "body": m.Body, "attributes": system, "messageAttributes": own,
		"eventSource": "aws:sqs", "eventSourceARN": r.arn(p.Target.Address), "awsRegion": r.region,
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(map[string]any{"Records": []any{record}})
	return b.Bytes(), err
}

// arn returns the ARN of a queue, given its URL, ARN or name.
func (r *Routes) arn(address string) string {
	if strings.HasPrefix(address, "arn:") {
		return address
	}
	account := r.account
	if parts := strings.Split(address, "/"); len(parts) > 1 {
		account = parts[len(parts)-2]
	}
	region := RegionOf(address)
	if region == "" {
		region = r.region
	}
	return "arn:aws:sqs:" + region + ":" + account + ":" + queueName(address)
}

// RegionOf returns the region that an ARN or the host of a queue's URL names; empty for
// none.
func RegionOf(address string) string {
	if strings.HasPrefix(address, "arn:") {
		if parts := strings.Split(address, ":"); len(parts) > 3 {
			return parts[3]
		}
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") {
		if strings.Count(label, "-") >= 2 && label[len(label)-1] >= '0' && label[len(label)-1] <= '9' {
			return label
		}
	}
	return ""
}
