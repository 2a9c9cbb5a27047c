package dedupe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// claimLimit is how long a claim may take. The sender is waiting, and a late answer is of
// no use. If the store is down, nothing starts.
const claimLimit = 2500 * time.Millisecond

// The item layout of Powertools for AWS Lambda, with its default names.
//
// [Idempotency]: https://docs.powertools.aws.dev/lambda/python/latest/utilities/idempotency/
const (
	attrID         = "id"
	attrStatus     = "status"
	attrExpiry     = "expiration"
	attrInProgress = "in_progress_expiration"
	attrData       = "data"
	attrValidation = "validation"

	inProgress = "INPROGRESS"
	completed  = "COMPLETED"
)

// maxData bounds an answer, in bytes: an item has 400 KiB including attribute names, and
// the other attributes take less than one KiB.
const maxData = (400 - 1) << 10

// A DynamoDB keeps records in a table whose partition key is "id", a string, and whose
// time to live is "expiration". Its items are those of Powertools' idempotency, so tools
// for those tables work with this one:
//
//	id                      route#hash
//	status                  INPROGRESS or COMPLETED
//	expiration              seconds: when the record is forgotten
//	in_progress_expiration  milliseconds: when another attempt may take it
//	validation              hash of the delivery
//	data                    the answer, JSON text
//
// A claim is one conditional PutItem, which returns the existing record, if there is one.
// Later requests are conditional on the claim's own in_progress_expiration: a later claim
// of the key, which is only possible after that time, has a different one.
//
// Every request is repeated while its failure may be temporary. Each is conditional on a
// state that it ends itself, so repeating a request that had succeeded changes nothing.
// Only for a claim does a repetition have a cost: its own record looks like that of
// another attempt, nothing starts, and the key is free again when the claim's time is up.
// It is safe for concurrent use.
type DynamoDB struct {
	client *awsjson.Client
	table  string
	now    func() time.Time
}

// NewDynamoDB returns the store in a table, at AWS as Lambda's environment describes it.
// A nil now is the real clock. It fails if that environment cannot be used, and calls
// nothing.
func NewDynamoDB(table string, getenv func(string) string, now func() time.Time) (*DynamoDB, error) {
	client, err := awsjson.New(getenv, awsjson.DynamoDB)
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &DynamoDB{client: client, table: table, now: now}, nil
}

// An attribute is a value in the wire format: a text or a number.
type attribute struct {
	S *string `json:",omitempty"`
	N *string `json:",omitempty"`
}

type attributes map[string]attribute

func text(s string) attribute  { return attribute{S: &s} }
func number(n int64) attribute { s := strconv.FormatInt(n, 10); return attribute{N: &s} }

// A request holds the parameters of PutItem, UpdateItem and DeleteItem; each uses some of
// them.
//
// [Operations]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
type request struct {
	TableName                           string
	Item                                attributes `json:",omitempty"`
	Key                                 attributes `json:",omitempty"`
	UpdateExpression                    string     `json:",omitempty"`
	ConditionExpression                 string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           attributes
	ReturnValuesOnConditionCheckFailure string `json:",omitempty"`
}

// conditionFailed is the error code of a request whose condition was not true.
const conditionFailed = "ConditionalCheckFailedException"

// free is the condition of Powertools: absent, forgotten, or given up.
const free = "attribute_not_exists(#id) OR #expiry < :now OR " +
	"(#status = :inprogress AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)"

// Claim implements [bridge.DedupeStore].
func (d *DynamoDB) Claim(ctx context.Context, c bridge.Claim) (bridge.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, claimLimit)
	defer cancel()
	now := d.now()
	item := attributes{
		attrID:         text(c.Key),
		attrStatus:     text(inProgress),
		attrExpiry:     number(c.Expires.Unix()),
		attrInProgress: number(c.Until.UnixMilli()),
	}
	if c.Fingerprint != "" {
		item[attrValidation] = text(c.Fingerprint)
	}
	err := d.client.Call(ctx, "PutItem", request{
		TableName:           d.table,
		Item:                item,
		ConditionExpression: free,
		ExpressionAttributeNames: map[string]string{
			"#id": attrID, "#expiry": attrExpiry, "#status": attrStatus, "#in_progress_expiry": attrInProgress,
		},
		ExpressionAttributeValues: attributes{
			":now": number(now.Unix()), ":now_in_millis": number(now.UnixMilli()), ":inprogress": text(inProgress),
		},
		ReturnValuesOnConditionCheckFailure: "ALL_OLD",
	}, &struct{}{})
	var answer *awsjson.Error
	switch {
	case err == nil:
		return bridge.Record{State: bridge.Claimed, Fingerprint: c.Fingerprint, Until: c.Until}, nil
	case errors.As(err, &answer) && answer.Code == conditionFailed:
		var taken struct{ Item attributes }
		if json.Unmarshal(answer.Body, &taken) != nil {
			return bridge.Record{}, awsjson.ErrUnreadable
		}
		return record(taken.Item)
	}
	return bridge.Record{}, err
}

// record reads an item. An item that cannot be understood, or that is missing from the
// answer, is an error: nothing is known then, so nothing starts.
func record(item attributes) (bridge.Record, error) {
	str := func(name string) string {
		if v := item[name].S; v != nil {
			return *v
		}
		return ""
	}
	r := bridge.Record{Fingerprint: str(attrValidation)}
	switch str(attrStatus) {
	case completed:
		r.State, r.Answer = bridge.Completed, []byte(str(attrData))
		if len(r.Answer) == 0 {
			r.Answer = null
		}
		return r, nil
	case inProgress:
		until, ok := heldUntil(item)
		if !ok {
			return bridge.Record{}, errors.New("the record in progress does not say when it expires")
		}
		r.State, r.Until = bridge.Held, until
		return r, nil
	}
	return bridge.Record{}, errors.New("the record's status is not a known one")
}

// heldUntil reads when another attempt may take a record in progress: a record that
// Powertools wrote without knowing the function's remaining time is held until it is
// forgotten.
func heldUntil(item attributes) (time.Time, bool) {
	number := func(name string) (int64, bool) {
		v := item[name].N
		if v == nil {
			return 0, false
		}
		n, err := strconv.ParseInt(*v, 10, 64)
		return n, err == nil
	}
	if ms, ok := number(attrInProgress); ok {
		return time.UnixMilli(ms), true
	}
	if _, there := item[attrInProgress]; there {
		return time.Time{}, false
	}
	seconds, ok := number(attrExpiry)
	return time.Unix(seconds, 0), ok
}

// holding is the condition that a claim still holds its key.
const holding = "#status = :inprogress AND #in_progress_expiry = :ours"

// Complete implements [bridge.DedupeStore]. An answer that does not fit into an item is
// left out, and the error is [ErrAnswerTooLarge].
func (d *DynamoDB) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	var tooLarge error
	if len(answer) > maxData {
		answer, tooLarge = null, fmt.Errorf("%w: it has %d bytes", ErrAnswerTooLarge, len(answer))
	}
	err := d.conclude(ctx, c, "UpdateItem", request{
		UpdateExpression:         "SET #status = :status, #expiry = :expiry, #data = :data",
		ExpressionAttributeNames: map[string]string{"#expiry": attrExpiry, "#data": attrData},
		ExpressionAttributeValues: attributes{
			":status": text(completed), ":expiry": number(c.Expires.Unix()), ":data": text(string(answer)),
		},
	})
	if err != nil {
		return err
	}
	return tooLarge
}

// Release implements [bridge.DedupeStore].
func (d *DynamoDB) Release(ctx context.Context, c bridge.Claim) error {
	return d.conclude(ctx, c, "DeleteItem", request{
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: attributes{},
	})
}

// conclude sends a request that only takes effect while c holds its key.
func (d *DynamoDB) conclude(ctx context.Context, c bridge.Claim, operation string, r request) error {
	r.TableName, r.Key, r.ConditionExpression = d.table, attributes{attrID: text(c.Key)}, holding
	r.ExpressionAttributeNames["#status"], r.ExpressionAttributeNames["#in_progress_expiry"] = attrStatus, attrInProgress
	r.ExpressionAttributeValues[":inprogress"], r.ExpressionAttributeValues[":ours"] = text(inProgress), number(c.Until.UnixMilli())
	err := d.client.Call(ctx, operation, r, &struct{}{})
	var answer *awsjson.Error
	if errors.As(err, &answer) && answer.Code == conditionFailed {
		return nil
	}
	return err
}
