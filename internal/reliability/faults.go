package reliability

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// Names of faults.
const (
	faultThrottle   = "throttled, then accepted"
	faultRefused    = "throttled until the function gave up"
	faultReset      = "connection reset after the run"
	faultLate500    = "status 500 after the run"
	faultEarly500   = "status 500 without a run"
	faultCut        = "answer cut off after the run"
	faultSlow       = "answer after the visibility timeout"
	faultKilled     = "function killed"
	faultTimeout    = "function timed out"
	faultExpired    = "visibility timeout expired during the batch"
	faultRedelivery = "delivered again during its batch, after its visibility timeout"
	// faultEarly affects records that the function itself let come back; it does not
	// explain a second success.
	faultEarly = "delivered again within its visibility timeout, by retry"
)

// A dice decides by what it is asked about, not by when: with the same seed, the same
// attempts get the same faults, whatever the schedule.
type dice uint64

func (d dice) roll(what string, a attempt) float64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, strconv.FormatUint(uint64(d), 16)+"/"+what+"/"+a.ID+"/"+strconv.Itoa(a.N))
	x := h.Sum64()
	x ^= x >> 33 // FNV's high bits hardly move for short texts
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// plan returns the fault for an attempt's start, or "".
func (d dice) plan(a attempt) string {
	x := d.roll("start", a)
	for _, p := range []struct {
		fault string
		share float64
	}{
		{faultThrottle, 0.04}, {faultReset, 0.012}, {faultLate500, 0.008}, {faultEarly500, 0.006}, {faultCut, 0.004}, {faultSlow, 0.001},
	} {
		if x < p.share {
			return p.fault
		}
		x -= p.share
	}
	return ""
}

// A front is placed in front of Step Functions and causes faults.
type front struct {
	next   http.Handler
	dice   dice
	ledger *ledger
	mu     sync.Mutex
	calls  map[attempt]int
}

// start is what a start's input says about the message.
type start struct {
	ID   string
	N    int
	Kind kind
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var call struct{ Input string }
	var s start
	if err != nil || json.Unmarshal(body, &call) != nil || json.Unmarshal([]byte(call.Input), &s) != nil {
		http.Error(w, "not a start of this test", http.StatusBadRequest)
		return
	}
	a := attempt{s.ID, s.N}
	f.mu.Lock()
	f.calls[a]++
	nth := f.calls[a]
	f.mu.Unlock()
	plan := f.dice.plan(a)
	if s.Kind == kindThrottled && s.N == 1 {
		plan = faultRefused
	}
	switch {
	case plan == faultRefused || plan == faultThrottle && nth <= 2:
		if nth == 1 {
			f.ledger.mark(a, plan)
		}
		f.ledger.count("starts refused with ThrottlingException")
		refuse(w, http.StatusBadRequest, "ThrottlingException")
		return
	case plan == faultThrottle:
		plan = ""
	case plan != "":
		f.ledger.mark(a, plan)
	}
	if plan == faultEarly500 {
		refuse(w, http.StatusInternalServerError, "InternalFailure")
		return
	}
	// Step Functions continues when its caller hangs up.
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	f.next.ServeHTTP(answer, r)
	f.answer(w, plan, answer)
}

func (f *front) answer(w http.ResponseWriter, plan string, answer *httptest.ResponseRecorder) {
	switch plan {
	case faultReset:
		reset(w)
		return
	case faultLate500:
		refuse(w, http.StatusInternalServerError, "InternalFailure")
		return
	case faultSlow:
		time.Sleep(slowAnswer)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	body := answer.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	if plan == faultCut {
		body = body[:len(body)/2] // and the server closes the connection, because the rest is missing
	}
	_, _ = w.Write(body)
}

// reset closes the connection so that its other end reads a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"__type":"`+code+`","message":"injected"}`)
}

// observe reports executions to the ledger, as the engine sees them.
func observe(l *ledger) func(statesapi.ExecutionRecord) {
	return func(r statesapi.ExecutionRecord) {
		var s start
		if json.Unmarshal(r.Input, &s) != nil {
			return
		}
		if r.Status == bridge.Running {
			l.began(r.ExecutionARN, attempt{s.ID, s.N})
			return
		}
		l.finished(r.ExecutionARN, string(r.Status), r.Error)
	}
}
