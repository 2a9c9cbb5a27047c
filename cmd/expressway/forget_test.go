package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A dedupeTable is a table and the routes that use it.
type dedupeTable struct {
	server *mototest.Server
	store  *dedupe.DynamoDB
	starts int
}

func newDedupeTable(t *testing.T) *dedupeTable {
	t.Helper()
	server := mototest.Start(t)
	cfg, err := awsenv.Config(server.Getenv, "DYNAMODB")
	if err != nil {
		t.Fatal(err)
	}
	_, err = dynamodb.NewFromConfig(cfg).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("dedupe"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := dedupe.NewDynamoDB("dedupe", server.Getenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &dedupeTable{server: server, store: store}
}

type countingStarter struct{ starts *int }

func (s countingStarter) StartSync(context.Context, bridge.Start) (bridge.Outcome, error) {
	*s.starts++
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte("{}")}, nil
}

func (s countingStarter) Start(ctx context.Context, in bridge.Start) (bridge.Outcome, error) {
	return s.StartSync(ctx, in)
}

// deliver runs a delivery of the route, and settles it unless its function is killed.
func (d *dedupeTable) deliver(t *testing.T, key, body string, withBody, killed bool) {
	t.Helper()
	expr, err := jsonata.Options{StepFunctions: true}.Compile("$request.key")
	if err != nil {
		t.Fatal(err)
	}
	b := bridge.New(countingStarter{&d.starts}, bridge.Options{Dedupe: d.store})
	delivery := &bridge.Delivery{
		Route: &bridge.Route{Name: "orders", StateMachine: "m", Timeout: time.Second, Dedupe: &bridge.Dedupe{
			Key: bridge.Expression(expr, "key"), WithBody: withBody,
		}},
		Kind: "request", Document: func() (any, error) { return jsonata.Decode([]byte(`{"key":` + key + `}`)) },
		Fingerprint: func() []byte { return []byte(body) },
	}
	r := b.Run(t.Context(), delivery)
	if !killed {
		b.Settle(t.Context(), delivery, r, bridge.Settlement{Final: true, Answer: func() []byte { return []byte(`"answered"`) }})
	}
}

func (d *dedupeTable) forget(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"forget"}, args...), strings.NewReader(""), &stdout, &stderr, func(name string) string {
		if name == "EXPRESSWAY_DEDUPE_TABLE" {
			return "dedupe"
		}
		return d.server.Getenv(name)
	})
	return code, stdout.String() + stderr.String()
}

// A key that is forgotten is free: the delivery runs again. One whose execution may be
// running stays, unless it is forced; what is stored is shown.
func TestForget(t *testing.T) {
	t.Parallel()
	d := newDedupeTable(t)
	body := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(body, []byte("the body"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name             string
		key              string // as JSON
		withBody, killed bool
		args             []string
		code             int
		want             string
		starts           int // of the delivery and of the one that comes after
	}{
		{"completed", `"o-1"`, false, false, []string{"orders", "o-1"}, 0, `answer     "answered"`, 2},
		{"a number", `7`, false, false, []string{"orders", "7"}, 0, "freed", 2},
		{"with the body", `"b-1"`, true, false, []string{"orders", "b-1", "--body", body}, 0, "freed", 2},
		{"without the body", `"b-2"`, true, false, []string{"orders", "b-2"}, 1, "nothing is stored for route orders", 1},
		{"looked at", `"o-2"`, false, false, []string{"orders", "o-2", "--dry-run"}, 0, "status     completed", 1},
		{"running", `"o-3"`, false, true, []string{"orders", "o-3"}, 1, "an execution may be running for this key until", 1},
		{"running, forced", `"o-4"`, false, true, []string{"orders", "o-4", "--force"}, 0, "status     in progress", 2},
		{"another route", `"o-5"`, false, false, []string{"other", "o-5"}, 1, "nothing is stored for route other", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d.starts = 0
			d.deliver(t, test.key, "the body", test.withBody, test.killed)
			code, out := d.forget(t, test.args...)
			if code != test.code || !strings.Contains(out, test.want) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, test.code, test.want, out)
			}
			d.deliver(t, test.key, "the body", test.withBody, false)
			if d.starts != test.starts {
				t.Errorf("%d executions, want %d", d.starts, test.starts)
			}
		})
	}
}

// A record that another attempt has taken since it was looked at stays that attempt's.
func TestForgetTooLate(t *testing.T) {
	t.Parallel()
	d := newDedupeTable(t)
	key := bridge.DedupeRecord("orders", []byte("o-1"))
	d.deliver(t, `"o-1"`, "", false, false)
	seen, found, err := d.store.Look(t.Context(), key)
	if err != nil || !found || !seen.Completed {
		t.Fatalf("Look = %+v, %v, %v, want a completed record", seen, found, err)
	}
	if err := d.store.Forget(t.Context(), key, seen); err != nil {
		t.Fatal(err)
	}
	d.deliver(t, `"o-1"`, "", false, true)
	if err := d.store.Forget(t.Context(), key, seen); fmt.Sprint(err) != dedupe.ErrChanged.Error() {
		t.Errorf("Forget of an earlier Look's record = %v, want %v", err, dedupe.ErrChanged)
	}
	if item, found, err := d.store.Look(t.Context(), key); err != nil || !found || !item.Live(time.Now()) {
		t.Errorf("Look = %+v, %v, %v, want the later attempt's claim", item, found, err)
	}
}
