// Package waittable reads the items that workflows write before they wait: in which a
// task token is kept until a webhook looks it up by another key.
package waittable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A DynamoDB implements [bridge.WaitTable] by GetItem. It is safe for concurrent use.
type DynamoDB struct{ client *awsjson.Client }

var _ bridge.WaitTable = (*DynamoDB)(nil)

// New returns the tables in AWS as Lambda's environment describes it. It sends nothing.
func New(getenv func(string) string) (*DynamoDB, error) {
	client, err := awsjson.New(getenv, awsjson.DynamoDB)
	if err != nil {
		return nil, err
	}
	return &DynamoDB{client}, nil
}

type attribute struct {
	S *string `json:",omitempty"`
	N *string `json:",omitempty"`
}

// Item implements [bridge.WaitTable]. The read is consistent, because the workflow may
// have written the item just now.
//
// [GetItem]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
func (d *DynamoDB) Item(ctx context.Context, table, keyAttribute string, key any) (map[string]string, bool, error) {
	var value attribute
	switch key := key.(type) {
	case string:
		value.S = &key
	case json.Number:
		n := key.String()
		value.N = &n
	default:
		return nil, false, errors.New("the key is neither a text nor a number")
	}
	in := struct {
		TableName      string
		Key            map[string]attribute
		ConsistentRead bool
	}{table, map[string]attribute{keyAttribute: value}, true}
	var out struct {
		Item map[string]attribute
	}
	if err := d.client.Call(ctx, "GetItem", in, &out); err != nil {
		return nil, false, failure(table, err)
	}
	if len(out.Item) == 0 {
		return nil, false, nil
	}
	item := make(map[string]string, len(out.Item))
	for name, v := range out.Item {
		if v.S != nil {
			item[name] = *v.S
		}
	}
	return item, true, nil
}

// failure distinguishes mistakes in the table or the permissions from temporary failures.
func failure(table string, err error) error {
	var answer *awsjson.Error
	if !errors.As(err, &answer) || answer.Passes() {
		return err
	}
	cause := fmt.Sprintf("the table %q cannot be read: %s", table, answer.Code)
	switch {
	case answer.Code == "ValidationException":
		cause += "; look at keyAttribute and at the type of the key"
	case answer.Status == http.StatusForbidden, answer.Code == "AccessDeniedException":
		cause += "; the function needs dynamodb:GetItem"
	}
	return bridge.NewFailure(bridge.Misconfigured, cause, answer)
}
