package dedupe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// How long the store may take. A sender waits meanwhile, and an answer that comes late
// helps nobody: with the store down, nothing starts.
const (
	claimLimit   = 2500 * time.Millisecond
	attemptLimit = time.Second
	maxAttempts  = 3
	maxBackoff   = 200 * time.Millisecond
)

// The item layout of Powertools for AWS Lambda, with the names it has by default.
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

// maxData is what an answer may have in bytes: an item has 400 KiB with its names, and
// the other attributes stay below one of them.
const maxData = (400 - 1) << 10

// A DynamoDB keeps records in a table whose partition key is "id", a string, and whose
// time to live is "expiration". Its items are those of Powertools' idempotency, so what
// looks at those tables can look at this one:
//
//	id                      route#hash
//	status                  INPROGRESS or COMPLETED
//	expiration              seconds: when the record is forgotten
//	in_progress_expiration  milliseconds: when another attempt may take it
//	validation              hash of what was delivered
//	data                    the answer, JSON text
//
// A claim is one conditional PutItem, which answers with the record where there is one.
// What follows is conditional on the claim's own in_progress_expiration: a later claim
// of the key, which is only possible after that time, has another.
//
// The SDK may repeat every request. Each is conditional on a state that it ends itself,
// so a repetition of one that had succeeded changes nothing. Only a claim is answered
// worse then: its own record looks like another's, nothing starts, and the key is free
// when the claim's time is up. It is safe for concurrent use.
type DynamoDB struct {
	client *dynamodb.Client
	table  string
	now    func() time.Time
}

// NewDynamoDB returns the store in a table, at AWS as Lambda's environment describes it.
// A nil now is the real clock. It sends nothing.
func NewDynamoDB(table string, getenv func(string) string, now func() time.Time) (*DynamoDB, error) {
	cfg, err := awsenv.Config(getenv, "DYNAMODB")
	if err != nil {
		return nil, err
	}
	options := dynamodb.Options{
		Region: cfg.Region, Credentials: cfg.Credentials, BaseEndpoint: cfg.BaseEndpoint,
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptLimit),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
		}),
	}
	if awsenv.FIPS(getenv) {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if awsenv.DualStack(getenv) {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	if now == nil {
		now = time.Now
	}
	return &DynamoDB{client: dynamodb.New(options), table: table, now: now}, nil
}

// free is the condition of Powertools: absent, forgotten, or given up.
const free = "attribute_not_exists(#id) OR #expiry < :now OR " +
	"(#status = :inprogress AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)"

// Claim implements [bridge.DedupeStore].
func (d *DynamoDB) Claim(ctx context.Context, c bridge.Claim) (bridge.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, claimLimit)
	defer cancel()
	now := d.now()
	item := map[string]types.AttributeValue{
		attrID:         text(c.Key),
		attrStatus:     text(inProgress),
		attrExpiry:     number(c.Expires.Unix()),
		attrInProgress: number(c.Until.UnixMilli()),
	}
	if c.Fingerprint != "" {
		item[attrValidation] = text(c.Fingerprint)
	}
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           &d.table,
		Item:                item,
		ConditionExpression: aws.String(free),
		ExpressionAttributeNames: map[string]string{
			"#id": attrID, "#expiry": attrExpiry, "#status": attrStatus, "#in_progress_expiry": attrInProgress,
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":now": number(now.Unix()), ":now_in_millis": number(now.UnixMilli()), ":inprogress": text(inProgress),
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var taken *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return bridge.Record{State: bridge.Claimed, Fingerprint: c.Fingerprint, Until: c.Until}, nil
	case errors.As(err, &taken):
		return record(taken.Item)
	}
	return bridge.Record{}, failure(ctx, err)
}

// record reads an item. One that cannot be understood, or that was not sent along, is an
// error: it says that nothing is known, and so nothing starts.
func record(item map[string]types.AttributeValue) (bridge.Record, error) {
	str := func(name string) string {
		v, _ := item[name].(*types.AttributeValueMemberS)
		if v == nil {
			return ""
		}
		return v.Value
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
		v, _ := item[attrInProgress].(*types.AttributeValueMemberN)
		if v == nil {
			return bridge.Record{}, errors.New("the record in progress does not say until when")
		}
		ms, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			return bridge.Record{}, errors.New("the record in progress does not say until when")
		}
		r.State, r.Until = bridge.Held, time.UnixMilli(ms)
		return r, nil
	}
	return bridge.Record{}, errors.New("the record has no status that is known")
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
	err := d.update(ctx, c, "SET #status = :status, #expiry = :expiry, #data = :data",
		map[string]string{"#expiry": attrExpiry, "#data": attrData},
		map[string]types.AttributeValue{
			":status": text(completed), ":expiry": number(c.Expires.Unix()), ":data": text(string(answer)),
		})
	if err != nil {
		return err
	}
	return tooLarge
}

// Extend implements [bridge.DedupeStore].
func (d *DynamoDB) Extend(ctx context.Context, c bridge.Claim, until time.Time) error {
	return d.update(ctx, c, "SET #in_progress_expiry = :until, #expiry = :expiry",
		map[string]string{"#expiry": attrExpiry},
		map[string]types.AttributeValue{":until": number(until.UnixMilli()), ":expiry": number(c.Expires.Unix())})
}

// update changes the record while c holds it; else it is another's, and stays.
func (d *DynamoDB) update(ctx context.Context, c bridge.Claim, expression string, names map[string]string, values map[string]types.AttributeValue) error {
	d.condition(c, names, values)
	_, err := d.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.table, Key: map[string]types.AttributeValue{attrID: text(c.Key)},
		UpdateExpression: &expression, ConditionExpression: aws.String(holding),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return concluded(ctx, err)
}

// Release implements [bridge.DedupeStore].
func (d *DynamoDB) Release(ctx context.Context, c bridge.Claim) error {
	names, values := map[string]string{}, map[string]types.AttributeValue{}
	d.condition(c, names, values)
	_, err := d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &d.table, Key: map[string]types.AttributeValue{attrID: text(c.Key)},
		ConditionExpression: aws.String(holding), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	})
	return concluded(ctx, err)
}

// condition adds what the holding condition speaks of.
func (d *DynamoDB) condition(c bridge.Claim, names map[string]string, values map[string]types.AttributeValue) {
	names["#status"], names["#in_progress_expiry"] = attrStatus, attrInProgress
	values[":inprogress"], values[":ours"] = text(inProgress), number(c.Until.UnixMilli())
}

func concluded(ctx context.Context, err error) error {
	var lost *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &lost) {
		return nil
	}
	return failure(ctx, err)
}

// failure says what became of a request, in words that hold no answer's text: a record
// is payload.
func failure(ctx context.Context, err error) error {
	var api smithy.APIError
	var op *net.OpError
	var network net.Error
	switch {
	case errors.As(err, &api):
		s := api.ErrorCode()
		var response *awshttp.ResponseError
		if errors.As(err, &response) && response.ServiceRequestID() != "" {
			s += " (request " + response.ServiceRequestID() + ")"
		}
		return errors.New(s)
	case ctx.Err() != nil:
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	case errors.As(err, &op):
		return op
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	}
	return errors.New("no answer that can be read")
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
