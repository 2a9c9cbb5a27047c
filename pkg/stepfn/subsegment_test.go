package stepfn_test

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// Each start of a sampled trace has one subsegment, however often the start is sent. The
// service gets it as the parent.
func TestSubsegment(t *testing.T) {
	t.Parallel()
	const record = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0"
	throttled := refusal(400, "ThrottlingException")
	status := func(status, more string) reply {
		return answer(200, `{"executionArn":"arn:e","startDate":1,"stopDate":2,"status":"`+status+`"`+more+`}`)
	}
	for name, test := range map[string]struct {
		script []reply
		async  bool
		want   string // what is not the same for all
	}{
		"succeeded": {
			[]reply{status("SUCCEEDED", `,"output":"\"payload\""`)},
			false,
			`{"annotations": {"route": "orders", "status": "SUCCEEDED"}, "arn": "arn:e", "status": 200}`,
		},
		"failed": {
			[]reply{status("FAILED", `,"error":"OrderNotFound","cause":"payload"`)},
			false,
			`{"annotations": {"route": "orders", "status": "FAILED", "error": "OrderNotFound"}, "arn": "arn:e", "status": 200, "fault": true}`,
		},
		"timed out": {
			[]reply{status("TIMED_OUT", "")},
			false,
			`{"annotations": {"route": "orders", "status": "TIMED_OUT"}, "arn": "arn:e", "status": 200, "fault": true}`,
		},
		"asynchronous": {
			[]reply{answer(200, `{"executionArn":"arn:e","startDate":1}`)},
			true,
			`{"annotations": {"route": "orders", "status": "RUNNING"}, "arn": "arn:e", "status": 200}`,
		},
		"throttled, then succeeded": {
			[]reply{throttled, throttled, status("SUCCEEDED", `,"output":"1"`)},
			false,
			`{"annotations": {"route": "orders", "status": "SUCCEEDED"}, "arn": "arn:e", "status": 200, "retries": 2}`,
		},
		"throttled": {
			[]reply{throttled},
			false,
			`{"annotations": {"route": "orders", "error": "Expressway.Throttled"}, "status": 400, "retries": 5, "error": true, "throttle": true}`,
		},
		"denied": {
			[]reply{refusal(400, "AccessDeniedException")},
			false,
			`{"annotations": {"route": "orders", "error": "Expressway.Misconfigured"}, "status": 400, "error": true}`,
		},
		"no answer": {
			[]reply{reset("")},
			false,
			`{"annotations": {"route": "orders", "error": "Expressway.Unknown"}, "fault": true}`,
		},
		"500": {
			[]reply{refusal(500, "InternalFailure")},
			false,
			`{"annotations": {"route": "orders", "error": "Expressway.Unknown"}, "status": 500, "fault": true}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			s := newServer(t, test.script...)
			recorder := trace.NewRecorder(trace.RecorderOptions{Address: conn.LocalAddr().String(), Rand: func() uint64 { return 0xabc }})
			t.Cleanup(recorder.Close)
			o := options(s.url())
			o.Recorder = recorder
			c := newClient(t, o)
			start := c.StartSync
			operation := "StartSyncExecution"
			if test.async {
				start, operation = c.Start, "StartExecution"
			}
			_, _ = start(t.Context(), bridge.Start{Route: "orders", StateMachineARN: arn, TraceHeader: record, Input: []byte(`"payload"`)})
			want := "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000abc;Sampled=1;Lineage=1:a87bd80c:0"
			for i, r := range s.seen() {
				if got := r.header.Get("X-Amzn-Trace-Id"); got != want || !strings.Contains(r.body, `"traceHeader":"`+want+`"`) {
					t.Errorf("request %d: header %q and body %s, want %q in both", i+1, got, r.body, want)
				}
			}
			checkSegment(t, conn, operation, test.want)
		})
	}
}

func checkSegment(t *testing.T, conn net.PacketConn, operation, want string) {
	t.Helper()
	buffer := make([]byte, 64<<10)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, _, err := conn.ReadFrom(buffer)
	if err != nil {
		t.Fatalf("no datagram: %v", err)
	}
	text := string(buffer[:n])
	if strings.Contains(text, "payload") {
		t.Errorf("the segment shows payload: %s", text)
	}
	_, text, _ = strings.Cut(text, "\n")
	type flags struct {
		Annotations            map[string]string
		ARN                    string `json:"arn"`
		Status, Retries        int
		Error, Throttle, Fault bool
	}
	var got struct {
		flags
		TraceID  string `json:"trace_id"`
		ParentID string `json:"parent_id"`
		ID       string `json:"id"`
		AWS      struct {
			Operation string
			Retries   int
			RequestID string `json:"request_id"`
		} `json:"aws"`
		HTTP     struct{ Response struct{ Status int } }
		Metadata struct{ Expressway map[string]string }
	}
	var expected flags
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("segment %s: %v", text, err)
	}
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if got.ID != "0000000000000abc" || got.ParentID != "53995c3f42cd8ad8" || got.TraceID != "1-5759e988-bd862e3fe1be46a994272793" ||
		got.AWS.Operation != operation || got.Metadata.Expressway["stateMachineArn"] != arn || (got.HTTP.Response.Status != 0) != (got.AWS.RequestID != "") {
		t.Errorf("segment = %s", text)
	}
	got.flags.ARN, got.Status, got.Retries = got.Metadata.Expressway["executionArn"], got.HTTP.Response.Status, got.AWS.Retries
	if diff := cmp.Diff(expected, got.flags); diff != "" {
		t.Errorf("segment (-want +got):\n%s", diff)
	}
}
