package dedupe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Idle connections of the HTTP client, which has no way to close them; they end
		// with the server.
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

const table = "expressway-dedupe"

// newTable makes the table as template.yaml does.
func newTable(t *testing.T, server *mototest.Server) *dynamodb.Client {
	t.Helper()
	cfg, err := awsenv.Config(server.Getenv, "DYNAMODB")
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(cfg)
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(table),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newDynamoDB(t testing.TB, getenv func(string) string, now func() time.Time) *dedupe.DynamoDB {
	t.Helper()
	s, err := dedupe.NewDynamoDB(table, getenv, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The table behaves as the memory does, and its items are Powertools'.
func TestDynamoDB(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	client := newTable(t, server)
	t.Run("suite", func(t *testing.T) {
		suite(t, false, func(c *clock) bridge.DedupeStore { return newDynamoDB(t, server.Getenv, c.now) })
	})
	t.Run("race", func(t *testing.T) { testRace(t, server) })
	t.Run("layout", func(t *testing.T) { testLayout(t, client, server) })
	t.Run("records of Powertools", func(t *testing.T) { testPowertools(t, client, server) })
	t.Run("too large an answer", func(t *testing.T) {
		now := newClock()
		s := newDynamoDB(t, server.Getenv, now.now)
		claim := newClaim(now, newKey(), "")
		mustClaim(t, s, claim)
		if err := s.Complete(t.Context(), claim, []byte(strings.Repeat("x", 400<<10))); !errors.Is(err, dedupe.ErrAnswerTooLarge) {
			t.Errorf("Complete: %v, want ErrAnswerTooLarge", err)
		}
		if r := mustClaim(t, s, claim); r.State != bridge.Completed || string(r.Answer) != "null" {
			t.Errorf("record = %+v, want Completed with null", r)
		}
	})
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
}

func testLayout(t *testing.T, client *dynamodb.Client, server *mototest.Server) {
	now := newClock()
	store := newDynamoDB(t, server.Getenv, now.now)
	claim := newClaim(now, newKey(), "f00d")
	item := func() map[string]types.AttributeValue {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String(table), Key: map[string]types.AttributeValue{"id": s(claim.Key)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Item
	}
	diff := func(what string, want map[string]types.AttributeValue) {
		t.Helper()
		if d := cmp.Diff(want, item(), cmp.AllowUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})); d != "" {
			t.Errorf("%s item (-want +got):\n%s", what, d)
		}
	}
	want := map[string]types.AttributeValue{
		"id": s(claim.Key), "status": s("INPROGRESS"), "expiration": n(claim.Expires.Unix()),
		"in_progress_expiration": n(claim.Until.UnixMilli()), "validation": s("f00d"),
	}
	mustClaim(t, store, claim)
	diff("claimed", want)
	claim.Expires = now.now().Add(24 * time.Hour)
	check(t, store.Complete(t.Context(), claim, []byte(`{"a":1}`)))
	want["status"], want["data"], want["expiration"] = s("COMPLETED"), s(`{"a":1}`), n(claim.Expires.Unix())
	diff("completed", want)
}

// Records as Powertools writes them are understood, and records that cannot be understood
// start nothing.
func testPowertools(t *testing.T, client *dynamodb.Client, server *mototest.Server) {
	now := newClock()
	store := newDynamoDB(t, server.Getenv, now.now)
	later := n(now.now().Unix() + 60)
	laterMS := n(now.now().UnixMilli() + 60_000)
	for name, test := range map[string]struct {
		item  map[string]types.AttributeValue
		state bridge.DedupeState
		fails bool
	}{
		"completed":              {map[string]types.AttributeValue{"status": s("COMPLETED"), "expiration": later, "data": s(`{}`)}, bridge.Completed, false},
		"completed without data": {map[string]types.AttributeValue{"status": s("COMPLETED"), "expiration": later}, bridge.Completed, false},
		"in progress": {map[string]types.AttributeValue{
			"status": s("INPROGRESS"), "expiration": later, "in_progress_expiration": laterMS,
		}, bridge.Held, false},
		"in progress, and given up": {map[string]types.AttributeValue{
			"status": s("INPROGRESS"), "expiration": later, "in_progress_expiration": n(5),
		}, bridge.Claimed, false},
		"expired": {map[string]types.AttributeValue{"status": s("COMPLETED"), "expiration": n(5)}, bridge.Claimed, false},
		// As a function writes it that does not tell Powertools its remaining time.
		"in progress until forgotten":          {map[string]types.AttributeValue{"status": s("INPROGRESS"), "expiration": later}, bridge.Held, false},
		"in progress until an unreadable time": {map[string]types.AttributeValue{"status": s("INPROGRESS"), "in_progress_expiration": s("soon")}, 0, true},
		"of another kind":                      {map[string]types.AttributeValue{"status": s("EXPIRED"), "expiration": later}, 0, true},
		"of no kind":                           {map[string]types.AttributeValue{"expiration": later}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			key := newKey()
			test.item["id"] = s(key)
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: test.item}); err != nil {
				t.Fatal(err)
			}
			r, err := store.Claim(t.Context(), newClaim(now, key, ""))
			if (err != nil) != test.fails || r.State != test.state {
				t.Errorf("Claim = %+v, %v, want state %v, failure %v", r, err, test.state, test.fails)
			}
		})
	}
}

// A guard lets one request at a time through to a server that plays DynamoDB. DynamoDB
// checks and writes in one step; moto looks, and then writes, and another of its threads
// can come between.
type guard struct {
	url string

	mu sync.Mutex
	// asked counts the requests, taken the claims that the server granted.
	asked, taken int
}

func newGuard(t *testing.T, target string) *guard {
	t.Helper()
	g := &guard{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked++
		if err != nil || r.Context().Err() != nil {
			return // the sender hung up
		}
		req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, target, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") && resp.StatusCode == http.StatusOK {
			g.taken++
		}
	}))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// testRace lets fifty deliveries with one key arrive at once, in ten processes: the
// table grants one of them, and no other starts. On a busy machine the one may not
// have learned of it in time.
func testRace(t *testing.T, server *mototest.Server) {
	g := newGuard(t, server.URL)
	now := newClock()
	claim := newClaim(now, newKey(), "f")
	var won, wrong, failed atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		store := newDynamoDB(t, endpoint(g.url), now.now)
		for range 5 {
			wg.Go(func() {
				switch r, err := store.Claim(t.Context(), claim); {
				case err != nil:
					failed.Add(1)
				case r.State == bridge.Claimed:
					won.Add(1)
				case r.State != bridge.Held || !r.Until.Equal(claim.Until):
					wrong.Add(1)
				}
			})
		}
	}
	wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	late := g.asked > 50 || failed.Load() > 0
	if g.taken != 1 || won.Load() > 1 || won.Load() == 0 && !late || wrong.Load() > 0 {
		t.Errorf("%d granted, %d won, %d wrong answers, want one that started", g.taken, won.Load(), wrong.Load())
	}
}

// A claim is the request that Powertools for AWS Lambda (Python 3.37.0) sends, as
// recorded; only the key and the hash are of another make.
func TestClaimIsPowertools(t *testing.T) {
	t.Parallel()
	const recorded = `{"TableName": "expressway-dedupe", "Item": {"id": {"S": "KEY"}, "expiration": {"N": "1795655597"}, "status": {"S": "INPROGRESS"}, "in_progress_expiration": {"N": "1795652027848"}, "validation": {"S": "5010cec3765a37ce4f516b0154a26baf"}}, "ConditionExpression": "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)", "ExpressionAttributeNames": {"#id": "id", "#expiry": "expiration", "#in_progress_expiry": "in_progress_expiration", "#status": "status"}, "ExpressionAttributeValues": {":now": {"N": "1795651997"}, ":now_in_millis": {"N": "1795651997848"}, ":inprogress": {"S": "INPROGRESS"}}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}`
	var got any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		answer(200, `{}`)(w, r)
	}))
	t.Cleanup(server.Close)
	now := func() time.Time { return time.UnixMilli(1795651997848) }
	claim := bridge.Claim{Key: "KEY", Fingerprint: "5010cec3765a37ce4f516b0154a26baf", Until: now().Add(30 * time.Second), Expires: now().Add(time.Hour)}
	mustClaim(t, newDynamoDB(t, endpoint(server.URL), now), claim)
	var want any
	if err := json.Unmarshal([]byte(recorded), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PutItem (-Powertools' +ours):\n%s", diff)
	}
}

// endpoint is a service at url.
func endpoint(url string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
			"AWS_ENDPOINT_URL_DYNAMODB": url,
		}[name]
	}
}

// faults are what a service may do to a request.
var faults = map[string]func(w http.ResponseWriter, r *http.Request){
	"throttled": answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"payload"}`),
	"500":       answer(500, `{"__type":"InternalServerError","message":"payload"}`),
	"denied":    answer(400, `{"__type":"AccessDeniedException","message":"payload"}`),
	"no table":  answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"payload"}`),
	"not JSON":  answer(200, `payload`),
	"reset": func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	},
	"silence": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	// A condition that failed, and no item with it, as an endpoint that does not know
	// ALL_OLD answers.
	"taken by nobody": answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"x"}`),
}

func answer(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// faulty serves the fault for the first requests, and then success; times 0 is always.
func faulty(t *testing.T, fault func(http.ResponseWriter, *http.Request), times int32) string {
	t.Helper()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only behind the body does the server notice that the client hung up.
		_, _ = io.Copy(io.Discard, r.Body)
		if times > 0 && requests.Add(1) > times {
			answer(200, `{}`)(w, r)
			return
		}
		fault(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A store that does not answer is an error within its limits, which shows no payload,
// and a claim is never Claimed by it.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			store := newDynamoDB(t, endpoint(faulty(t, fault, 0)), now.now)
			claim := newClaim(now, newKey(), "")
			began := time.Now()
			r, err := store.Claim(t.Context(), claim)
			if err == nil || strings.Contains(err.Error(), "payload") {
				t.Errorf("Claim = %+v, %v, want an error without payload", r, err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("Claim took %v", took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err = store.Complete(ctx, claim, []byte("payload"))
			if lost := name == "taken by nobody"; (err == nil) != lost {
				t.Errorf("Complete: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "payload") {
				t.Errorf("Complete: %v, want no payload", err)
			}
		})
	}
}

// What passes is tried again. This runs alone: a machine that is busy with the other
// tests can take the time of all attempts.
func TestFaultsThatPass(t *testing.T) {
	for _, name := range []string{"throttled", "500", "reset", "silence"} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			store := newDynamoDB(t, endpoint(faulty(t, faults[name], 1)), now.now)
			if r, err := store.Claim(t.Context(), newClaim(now, newKey(), "")); err != nil || r.State != bridge.Claimed {
				t.Errorf("Claim = %+v, %v, want Claimed", r, err)
			}
		})
	}
}

// A claim whose first answer was lost never is two claims: the repetition finds a record.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	newTable(t, server)
	var requests atomic.Int32
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, server.URL, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if requests.Add(1) == 1 {
			faults["reset"](w, r)
			return
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(relay.Close)
	now := newClock()
	store := newDynamoDB(t, endpoint(relay.URL), now.now)
	claim := newClaim(now, newKey(), "f")
	if r, err := store.Claim(t.Context(), claim); err != nil || r.State != bridge.Held {
		t.Fatalf("Claim = %+v, %v, want Held", r, err)
	}
	now.advance(31 * time.Second)
	if r := mustClaim(t, store, newClaim(now, claim.Key, "f")); r.State != bridge.Claimed {
		t.Errorf("claim when the time is up = %+v, want Claimed", r)
	}
}

func TestNoEnvironment(t *testing.T) {
	t.Parallel()
	if _, err := dedupe.NewDynamoDB(table, func(string) string { return "" }, nil); !errors.Is(err, awsenv.ErrNone) {
		t.Errorf("error = %v, want ErrNone", err)
	}
}
