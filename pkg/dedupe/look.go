package dedupe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An Item is a stored record, for people who inspect the table.
type Item struct {
	// Completed says that the delivery has ended; otherwise an attempt holds the key.
	Completed bool
	// Until is when the claim of a record in progress lapses, and Expires when the record
	// is forgotten. They are zero if the item does not have them.
	Until, Expires time.Time
	// Answer is what duplicates of a completed delivery are given. It is payload.
	Answer []byte
}

// Live reports whether an execution may still be running for the record.
func (i Item) Live(now time.Time) bool {
	until := i.Until
	if until.IsZero() {
		until = i.Expires // as Powertools defines it
	}
	return !i.Completed && !lapsed(until, now)
}

// ErrChanged means that the record has changed since it was read.
var ErrChanged = errors.New("the record has changed since it was read: read it again")

// Look reads the record of a key; there may be none. It needs dynamodb:GetItem.
func (d *DynamoDB) Look(ctx context.Context, key string) (Item, bool, error) {
	in := struct {
		TableName      string
		Key            attributes
		ConsistentRead bool
	}{d.table, attributes{attrID: text(key)}, true}
	var out struct{ Item attributes }
	if err := d.client.Call(ctx, "GetItem", in, &out); err != nil {
		return Item{}, false, err
	}
	if len(out.Item) == 0 {
		return Item{}, false, nil
	}
	r, err := record(out.Item)
	if err != nil {
		return Item{}, false, err
	}
	item := Item{Completed: r.State == bridge.Completed, Answer: r.Answer, Until: r.Until}
	if n := out.Item[attrExpiry].N; n != nil {
		seconds, err := strconv.ParseInt(*n, 10, 64)
		if err != nil {
			return Item{}, false, fmt.Errorf("the record's %s is not a number", attrExpiry)
		}
		item.Expires = time.Unix(seconds, 0)
	}
	return item, true, nil
}

// Forget deletes the record of a key, if it is still the one that Look returned. Otherwise
// it returns [ErrChanged]: an attempt that has taken the key since keeps it. It needs
// dynamodb:DeleteItem.
func (d *DynamoDB) Forget(ctx context.Context, key string, seen Item) error {
	status := inProgress
	if seen.Completed {
		status = completed
	}
	err := d.client.Call(ctx, "DeleteItem", request{
		TableName: d.table, Key: attributes{attrID: text(key)},
		ConditionExpression:       "#status = :status AND #expiry = :expiry",
		ExpressionAttributeNames:  map[string]string{"#status": attrStatus, "#expiry": attrExpiry},
		ExpressionAttributeValues: attributes{":status": text(status), ":expiry": number(seen.Expires.Unix())},
	}, &struct{}{})
	var answer *awsjson.Error
	if errors.As(err, &answer) && answer.Code == conditionFailed {
		return ErrChanged
	}
	return err
}
