package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A logsAPI speaks the wire protocol of CloudWatch Logs: it keeps lines, and answers a query
// with those that are not before its @timestamp, up to its limit.
type logsAPI struct {
	mu      sync.Mutex
	lines   []logLine
	started []map[string]any
	queries map[string]string
	// running is how often a query says that it still runs; failing answers an operation in
	// place of the API, from its n-th call on.
	running int
	failing map[string]failure
	calls   map[string]int
	stopped int
	// asked is called when somebody looks at a query that runs.
	asked    func()
	statuses map[string]string // of a query's id, other than Complete
}

type failure struct {
	from    int
	status  int
	code    string
	message string
}

type logLine struct {
	at         time.Time
	group, ptr string
	text       string
}

func (l *logsAPI) serve(t *testing.T) func(string) string {
	t.Helper()
	l.queries, l.calls = map[string]string{}, map[string]int{}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": server.URL,
		}[name]
	}
}

func (l *logsAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "Logs_20140328.")
	l.calls[operation]++
	var in map[string]any
	_ = json.NewDecoder(r.Body).Decode(&in)
	answer := func(status int, out any) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}
	if f, ok := l.failing[operation]; ok && l.calls[operation] >= f.from {
		answer(f.status, map[string]string{"__type": f.code, "message": f.message})
		return
	}
	switch operation {
	case "StartQuery":
		l.started = append(l.started, in)
		id := fmt.Sprint("q-", len(l.started))
		l.queries[id] = in["queryString"].(string)
		answer(http.StatusOK, map[string]string{"queryId": id})
	case "StopQuery":
		l.stopped++
		answer(http.StatusOK, map[string]bool{"success": true})
	case "GetQueryResults":
		id := in["queryId"].(string)
		if l.running > 0 {
			l.running--
			if l.asked != nil {
				l.asked()
			}
			answer(http.StatusOK, map[string]any{"status": "Running", "results": []any{}})
			return
		}
		status := "Complete"
		if s := l.statuses[id]; s != "" {
			status = s
		}
		answer(http.StatusOK, map[string]any{"status": status, "results": l.results(l.queries[id])})
	default:
		answer(http.StatusBadRequest, map[string]string{"__type": "UnknownOperationException"})
	}
}

var (
	limitOf = regexp.MustCompile(`limit (\d+)$`)
	fromOf  = regexp.MustCompile(`@timestamp >= (\d+)`)
	arnsOf  = regexp.MustCompile(`execution_arn in \[(.*)\]`)
)

func (l *logsAPI) results(query string) [][]map[string]string {
	limit, _ := strconv.Atoi(limitOf.FindStringSubmatch(query)[1])
	from := int64(0)
	if m := fromOf.FindStringSubmatch(query); m != nil {
		from, _ = strconv.ParseInt(m[1], 10, 64)
	}
	arns := arnsOf.FindStringSubmatch(query)
	rows := [][]map[string]string{}
	for _, line := range l.lines {
		if line.at.UnixMilli() < from || len(rows) == limit || !selects(query, arns, line.text) {
			continue
		}
		rows = append(rows, []map[string]string{
			{"field": "@timestamp", "value": line.at.UTC().Format("2006-01-02 15:04:05.000")},
			{"field": "@message", "value": line.text},
			{"field": "@log", "value": "123456789012:" + line.group},
			{"field": "@ptr", "value": line.ptr},
		})
	}
	return rows
}

var (
	filterOf    = regexp.MustCompile(`(?m)^\| filter (?:@timestamp >= \d+ and )?(.*)$`)
	conditionOf = regexp.MustCompile(`^(\w+) (=|like) ("(?:[^"\\]|\\.)*")$`)
)

// selects evaluates the filter of a query on a line, as far as the queries of logs go:
// groups of conditions that are joined by or, joined by and.
func selects(query string, arns []string, text string) bool {
	var line map[string]any
	if json.Unmarshal([]byte(text), &line) != nil {
		return false
	}
	if arns != nil {
		arn, _ := line["execution_arn"].(string)
		return arn != "" && strings.Contains(arns[1], strconv.Quote(arn))
	}
	filter := strings.TrimSuffix(strings.TrimPrefix(filterOf.FindStringSubmatch(query)[1], "("), ")")
	for group := range strings.SplitSeq(filter, ") and (") {
		matched := false
		for condition := range strings.SplitSeq(group, " or ") {
			m := conditionOf.FindStringSubmatch(condition)
			if m == nil {
				panic("the fake does not know the condition " + condition)
			}
			value, err := strconv.Unquote(m[3])
			field, _ := line[m[1]].(string)
			matched = matched || err == nil && (m[2] == "=" && field == value || m[2] == "like" && strings.Contains(field, value))
		}
		if !matched {
			return false
		}
	}
	return true
}

// Each id that a sender, a queue, a console or an alarm shows leads by one query to the
// delivery, its route, its execution, the state that failed and the cause.
func TestLogsFromEachID(t *testing.T) {
	t.Parallel()
	const (
		arn     = "arn:aws:states:us-east-1:123456789012:express:orders:orders-http-m-1:u"
		trace   = "1-5759e988-bd862e3fe1be46a994272793"
		message = "059f36b4-87a3-44ab-83d2-661975830a7d"
		event   = "17793124-05d4-b198-2fde-7ededc63b103"
	)
	for name, test := range map[string]struct{ line, id string }{
		"a provider's delivery id":   {`"delivery":"evt_1"`, "evt_1"},
		"the request id of Lambda":   {`"delivery":"d","requestId":"r-1"`, "r-1"},
		"the request id of the API":  {`"delivery":"d","gatewayRequestId":"JKJaXmPLvHcESHA="`, "JKJaXmPLvHcESHA="},
		"a message id of SQS":        {`"delivery":"` + message + `","gatewayRequestId":"` + message + `"`, message},
		"an event id of EventBridge": {`"delivery":"` + event + `"`, event},
		"a trace of X-Ray":           {`"delivery":"d","traceId":"` + trace + `"`, trace},
		"the header of a trace":      {`"delivery":"d","traceId":"` + trace + `"`, "Root=" + trace + ";Parent=53995c3f42cd8ad8;Sampled=1"},
		"W3C's trace id":             {`"delivery":"d","traceId":"` + trace + `"`, "5759e988bd862e3fe1be46a994272793"},
		"W3C's traceparent":          {`"delivery":"d","traceId":"` + trace + `"`, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"},
		"an execution's ARN":         {`"delivery":"d"`, arn},
		"an execution's name":        {`"delivery":"d"`, "orders-http-m-1"},
		"a redrive id":               {`"delivery":"` + message + `"`, "redrive-" + message},
		"a dead letter's own id":     {`"delivery":"d","deadLetter":"` + message + `"`, message},
		"a dead letter's redrive id": {`"delivery":"d","deadLetter":"` + message + `"`, "redrive-" + message},
		"a route":                    {`"delivery":"d"`, "orders-http"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &logsAPI{lines: []logLine{
				{evening, "/a", "1", `{"message":"delivery settled","route":"orders-http","executionArn":"` + arn + `","status":"FAILED","error":"OutOfStock",` + test.line + `}`},
				{evening, "/a", "2", `{"message":"delivery settled","route":"another","delivery":"other","executionArn":"arn:other","status":"FAILED"}`},
				{evening, "/b", "3", `{"id":"1","type":"TaskStateEntered","details":{"name":"Ship"},"event_timestamp":"1","execution_arn":"` + arn + `"}`},
				{evening, "/b", "4", `{"id":"2","type":"ExecutionFailed","details":{"error":"OutOfStock","cause":"no tea"},"event_timestamp":"2","execution_arn":"` + arn + `"}`},
			}}
			code, out, errs := logsCLI(t, api.serve(t), append([]string{test.id}, window...)...)
			want := []string{"route      orders-http\n", "execution  " + arn + "\n", "error      OutOfStock\n", "state      Ship\n", "cause      no tea\n"}
			for _, w := range want {
				if !strings.Contains(out, w) {
					t.Errorf("exit %d, %q is not in\n%s%s", code, w, out, errs)
				}
			}
			if strings.Contains(out, "another") {
				t.Errorf("the lines of another delivery are shown:\n%s", out)
			}
			// One query finds the delivery, and one the log of its execution.
			if len(api.started) != 2 {
				t.Errorf("%d queries were started, want 2: %v", len(api.started), api.started)
			}
		})
	}
}

// failedOrder are the lines of a request whose workflow failed.
func failedOrder(at time.Time) []logLine {
	const arn = "arn:aws:states:us-east-1:123456789012:express:orders:orders-http-r-1:u"
	event := func(id int, kind, details string) logLine {
		ms := at.UnixMilli() + int64(id)
		text := fmt.Sprintf(`{"id":"%d","type":"%s","details":%s,"previous_event_id":"%d","event_timestamp":"%d","execution_arn":"%s"}`, id, kind, details, id-1, ms, arn)
		return logLine{at.Add(time.Second), "/aws/vendedlogs/states/shop", fmt.Sprint("e", id), text}
	}
	return []logLine{
		{at, "/aws/vendedlogs/apis/shop", "a1", `{"requestId":"g-1","routeKey":"$default","status":"500"}`},
		event(1, "ExecutionStarted", `{}`), event(2, "TaskStateEntered", `{"name":"Ship"}`),
		event(3, "ExecutionFailed", `{"error":"OutOfStock","cause":"no tea\u001b[31m left"}`),
		{at.Add(20 * time.Millisecond), "/aws/lambda/shop/webhook", "f1", `{"timestamp":"t","level":"WARN","message":"delivery settled","route":"orders-http","delivery":"d-1","gatewayRequestId":"g-1",` +
			`"requestId":"r-1","traceId":"1-a-b","executionArn":"` + arn + `","status":"FAILED","error":"OutOfStock","durationMs":12.5}`},
		{at.Add(21 * time.Millisecond), "/aws/lambda/shop/webhook", "f2", "START RequestId: r-1\nplain text"},
	}
}

func logsCLI(t *testing.T, getenv func(string) string, args ...string) (int, string, string) {
	t.Helper()
	return logsIn(t.Context(), getenv, args...)
}

func logsIn(ctx context.Context, getenv func(string) string, args ...string) (int, string, string) {
	var out, errs strings.Builder
	code := run(ctx, append([]string{"logs"}, args...), nil, &out, &errs, getenv)
	return code, out.String(), errs.String()
}

var evening = time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC)

var window = []string{"--since", "2026-11-30T17:00:00Z", "--until", "2026-11-30T19:00:00Z", "--log-group", "/a,/b"}

// From any id to delivery, route, execution, failed state and cause.
func TestLogsTimeline(t *testing.T) {
	t.Parallel()
	for i, id := range [][]string{{"g-1"}, {"--request", "g-1"}, {"--delivery", "d-1"}, {"--execution", "orders-http-r-1"}, {"--route", "orders-http"}, {"--trace", "1-a-b"}} {
		api := &logsAPI{lines: failedOrder(evening)}
		if i == 0 {
			api.running = 1
		}
		code, out, errs := logsCLI(t, api.serve(t), append(id, window...)...)
		if code != 0 {
			t.Fatalf("logs %v: exit %d, want 0: %s", id, code, errs)
		}
		// The access log of the API only has the API's own id.
		access := "2026-11-30T18:00:00.000Z  api        request routeKey=$default status=500 gatewayRequestId=g-1\n"
		if got := strings.Contains(out, access); got != slices.Contains(id, "g-1") {
			t.Errorf("%v: the line of the API is shown: %t\n%s", id, got, out)
		}
		for _, want := range []string{
			"2026-11-30T18:00:00.002Z  execution  TaskStateEntered state=Ship\n",
			"function   delivery settled route=orders-http delivery=d-1",
			"delivery   d-1\nroute      orders-http\n", "execution  arn:aws:states:us-east-1:123456789012:express:orders:orders-http-r-1:u\nstatus     FAILED\nerror      OutOfStock\nstate      Ship\ncause      no tea [31m left\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is not in\n%s", id, want, out)
			}
		}
		if got := api.started[0]["logGroupIdentifiers"]; fmt.Sprint(got) != "[/a /b]" {
			t.Errorf("queried the groups %v, want [/a /b]", got)
		}
		if !strings.Contains(errs, "fields @timestamp, @message, @log\n| filter (") {
			t.Errorf("the query is not shown: %s", errs)
		}
	}
	code, out, _ := logsCLI(t, (&logsAPI{lines: failedOrder(evening)}).serve(t), append([]string{"d-1", "--format", "json"}, window...)...)
	var summary struct{ Delivery, Route, State, Cause string }
	if err := json.Unmarshal([]byte(out), &summary); err != nil || code != 0 || summary.State != "Ship" || summary.Route != "orders-http" {
		t.Errorf("exit %d, %v, want 0 and the state and the route of the delivery: %s", code, err, out)
	}
}

// Without log groups only the query is printed, and no request is sent.
func TestLogsQuery(t *testing.T) {
	t.Parallel()
	code, out, errs := logsCLI(t, noEnvironment, "--route", "a", "--delivery", `x" or 1=1 | delete \`)
	want := "fields @timestamp, @message, @log\n| filter (route = \"a\") and (delivery = \"x\\\" or 1=1 | delete \\\\\")\n| sort @timestamp asc\n| limit 1000\n"
	if code != 0 || out != want || !strings.Contains(errs, "--stack or --log-group") {
		t.Errorf("exit %d, want 0, the query and a note: %s%s", code, out, errs)
	}
	for _, args := range [][]string{{}, {"a\x1bb"}, {"x", "--since", "yesterday"}, {"x", "--since", "1h", "--until", "2h"}, {"x", "--limit", "0"}, {"x", "--limit", "100001"}, {"x", "--timeout", "0"}} {
		if code, _, errs := logsCLI(t, noEnvironment, args...); code != 1 || errs == "" {
			t.Errorf("%q: exit %d, want 1 and a reason: %s", args, code, errs)
		}
	}
}

// What goes wrong on the way is named; what was read by then is shown, with where to continue.
func TestLogsFaults(t *testing.T) {
	t.Parallel()
	many := func(n int) []logLine {
		lines := make([]logLine, n)
		for i := range lines {
			lines[i] = logLine{evening.Add(time.Duration(i) * time.Millisecond), "/a", fmt.Sprint(i), fmt.Sprintf(`{"message":"delivery settled","route":"r","delivery":"d-%d"}`, i)}
		}
		return lines
	}
	expired := failure{1, http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired"}
	again := expired
	again.from = 2
	for name, test := range map[string]struct {
		api   *logsAPI
		args  []string
		lines int
		want  []string
	}{
		"expired credentials":        {&logsAPI{failing: map[string]failure{"StartQuery": expired}}, nil, 0, []string{"logs:StartQuery: the credentials have expired"}},
		"expired between two pages":  {&logsAPI{lines: many(10_050), failing: map[string]failure{"StartQuery": again}}, []string{"--limit", "20000"}, 10_000, []string{"the credentials have expired", "10000 lines printed so far; continue with --since 2026-11-30T18:00:09.999Z"}},
		"a permission missing":       {&logsAPI{failing: map[string]failure{"GetQueryResults": {1, http.StatusBadRequest, "AccessDeniedException", "not authorized"}}}, nil, 0, []string{"logs:GetQueryResults: a permission is missing"}},
		"no such group":              {&logsAPI{failing: map[string]failure{"StartQuery": {1, http.StatusBadRequest, "ResourceNotFoundException", "log group /a does not exist"}}}, nil, 0, []string{"not found", "/a does not exist"}},
		"throttled":                  {&logsAPI{failing: map[string]failure{"StartQuery": {1, http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}}}, nil, 0, []string{"the service is throttling"}},
		"too many queries":           {&logsAPI{failing: map[string]failure{"StartQuery": {1, http.StatusBadRequest, "LimitExceededException", "30 queries"}}}, nil, 0, []string{"the service is throttling"}},
		"a partial answer":           {&logsAPI{lines: many(3), statuses: map[string]string{"q-1": "Timeout"}}, nil, 3, []string{"aborted the query (timeout)", "3 lines printed so far; continue with --since"}},
		"a query that is given up":   {&logsAPI{running: 1 << 30}, nil, 0, []string{"canceled"}},
		"more than the limit":        {&logsAPI{lines: many(30)}, []string{"--limit", "20"}, 20, []string{"more than 20 lines: continue with --since 2026-11-30T18:00:00.020Z"}},
		"nothing":                    {&logsAPI{}, nil, 0, []string{"there are no lines between 2026-11-30T17:00:00Z and 2026-11-30T19:00:00Z"}},
		"a hundred thousand lines":   {&logsAPI{lines: many(100_000)}, []string{"--limit", "100000", "--format", "json"}, 100_000, nil},
		"all of them in one instant": {&logsAPI{lines: same(10_500)}, []string{"--limit", "20000", "--format", "json"}, 10_000, []string{"there are more than 10000 lines"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name == "too many queries" {
				t.Skip("the SDK waits four seconds, as for throttling")
			}
			getenv := test.api.serve(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			test.api.asked = cancel
			code, out, errs := logsIn(ctx, getenv, append(append([]string{"--route", "r", "--timeout", "10m"}, window...), test.args...)...)
			for _, want := range test.want {
				if !strings.Contains(errs, want) {
					t.Errorf("want %q in standard error, got %.500s", want, errs)
				}
			}
			lines := strings.Count(out, "delivery settled")
			if strings.Contains(strings.Join(test.args, " "), "json") {
				lines = strings.Count(out, "\n")
			}
			if lines != test.lines {
				t.Errorf("exit %d, %d lines, want %d", code, lines, test.lines)
			}
			if name == "a query that is given up" && test.api.stopped != 1 {
				t.Errorf("the query was returned %d times", test.api.stopped)
			}
		})
	}
}

// same are lines of one millisecond.
func same(n int) []logLine {
	lines := make([]logLine, n)
	for i := range lines {
		lines[i] = logLine{evening, "/a", fmt.Sprint(i), `{"message":"delivery settled","route":"r","delivery":"d"}`}
	}
	return lines
}

// With --stack the groups are those of the stack.
func TestLogsOfAStack(t *testing.T) {
	t.Parallel()
	server := deploy(t)
	api := &logsAPI{lines: failedOrder(evening)}
	fake := api.serve(t)
	getenv := func(name string) string {
		if v := fake("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"); name == "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS" {
			return v
		}
		return server.Getenv(name)
	}
	code, _, errs := logsCLI(t, getenv, append([]string{"d-1", "--stack", "right"}, window[:4]...)...)
	groups := fmt.Sprint(api.started[0]["logGroupIdentifiers"])
	if code != 0 || !strings.HasPrefix(groups, "[/aws/lambda/right-Webhook-") || !strings.HasSuffix(groups, " /aws/vendedlogs/apis/right]") {
		t.Errorf("exit %d, started %v, want 0 and the groups of the stack: %s", code, api.started, errs)
	}
	if code, _, errs := logsCLI(t, getenv, "d-1", "--stack", "without"); code != 1 || !strings.Contains(errs, "the stack without has no Expressway function") {
		t.Errorf("exit %d, want 1 and that the stack has no function: %s", code, errs)
	}
}
