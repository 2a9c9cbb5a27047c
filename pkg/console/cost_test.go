package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

const five = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"D"},"D":{"Type":"Pass","Next":"E"},"E":{"Type":"Succeed"}}}`

// endpoint is a local Step Functions; call runs five states over plain HTTP.
func endpoint(tb testing.TB, options statesapi.Options) (call func()) {
	tb.Helper()
	s := statesapi.New(options)
	if err := s.Put("five", []byte(five)); err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(statesapi.NewHandler(s, statesapi.HandlerOptions{Log: slog.New(slog.DiscardHandler)}))
	tb.Cleanup(func() {
		server.Close()
		_ = s.Close(context.Background())
	})
	body := `{"stateMachineArn":"` + s.ARN("five") + `","input":"{\"a\":1}"}`
	return func() {
		request, _ := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body)) // of constants
		request.Header.Set("Content-Type", "application/x-amz-json-1.0")
		request.Header.Set("X-Amz-Target", "AWSStepFunctions.StartSyncExecution")
		response, err := server.Client().Do(request)
		if err != nil {
			tb.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
}

// BenchmarkExecution is what recording costs an execution over plain HTTP, as the median of
// the ratios turn by turn: both are called alternately, so that other load on the machine
// affects both.
func BenchmarkExecution(b *testing.B) {
	r := console.NewRecorder(console.Options{})
	calls := [2]func(){endpoint(b, statesapi.Options{}), endpoint(b, statesapi.Options{Observe: r.Observe, OnExecution: r.OnExecution})}
	const block = 20
	var took [2][]time.Duration
	for range 2 * 1000 { // until the recorder is full
		calls[0]()
		calls[1]()
	}
	for n := 0; b.Loop(); n++ {
		for i := range calls {
			i = (i + n) % 2
			began := time.Now()
			for range block {
				calls[i]()
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	ratios := make([]float64, len(took[0]))
	for n := range ratios {
		ratios[n] = float64(took[1][n]) / float64(took[0][n])
	}
	slices.Sort(ratios)
	for i := range took {
		slices.Sort(took[i])
	}
	b.ReportMetric(float64(took[0][len(took[0])/2].Nanoseconds())/block, "plain-ns/execution")
	b.ReportMetric(float64(took[1][len(took[1])/2].Nanoseconds())/block, "recorded-ns/execution")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}

// Recording allocates little compared with the execution itself: allocations do not depend on
// how busy the machine is.
func TestCost(t *testing.T) {
	r := console.NewRecorder(console.Options{})
	var count [2]float64
	for i, call := range []func(){endpoint(t, statesapi.Options{}), endpoint(t, statesapi.Options{Observe: r.Observe, OnExecution: r.OnExecution})} {
		call()
		count[i] = testing.AllocsPerRun(300, call)
	}
	t.Logf("%.0f allocations of an execution over HTTP, %.0f with the recorder", count[0], count[1])
	if count[1] > 1.3*count[0] {
		t.Errorf("%.0f allocations with the recorder, %.0f without", count[1], count[0])
	}
}

// However many deliveries there are, 100,000 executions listed among them, the recorder
// stays within 256 MiB. EXPRESSWAY_SOAK makes it a hundred thousand, as `make nightly` does.
func TestSoak(t *testing.T) {
	n := 3000
	if os.Getenv("EXPRESSWAY_SOAK") != "" {
		n = 100_000
	}
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"walk": walk})
	input := `{"x":"` + strings.Repeat("x", 2000) + `"}`
	for range 1500 { // full
		run(t, r, s, "walk", input)
	}
	before := heap()
	for range n {
		run(t, r, s, "walk", input)
	}
	after := heap()
	t.Logf("%d deliveries: %d KiB before, %d KiB after, %d KiB counted", n, before>>10, after>>10, r.Bytes()>>10)
	if after > before+before/2+4<<20 || after > 256<<20 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
	if got := len(r.Deliveries(nil, 1<<20)); got != 1000 {
		t.Errorf("%d deliveries are kept, want %d", got, 1000)
	}
}

// FuzzRecorder plays a sender against a recorder: whatever it delivers, the pages and the
// API answer, and what is kept stays within its bounds.
func FuzzRecorder(f *testing.F) {
	f.Add(request, `{"x":1}`, `{"statusCode":200,"body":"x"}`, uint8(0))
	f.Add(`{"Records":[{"messageId":"m","body":"b","eventSourceARN":"a:b:c","attributes":{"MessageGroupId":"g"}}]}`, `[]`, `{"batchItemFailures":[{"itemIdentifier":"m"}]}`, uint8(1))
	f.Add(`{"source":"s","detail-type":"d","detail":{}}`, `"\ud800"`, `{"discarded":true}`, uint8(2))
	f.Add(`{"httpMethod":"GET","path":"/<script>","multiValueHeaders":{"A":["b",""]},"isBase64Encoded":true,"body":"!"}`, `{"a":`, ``, uint8(3))
	f.Fuzz(func(t *testing.T, event, input, answer string, kind uint8) {
		if len(event)+len(input)+len(answer) > 1<<16 {
			return
		}
		function := []string{"webhook", "queue", "event"}[kind%3]
		r := console.NewRecorder(console.Options{Deliveries: 3, Executions: 3, Bytes: 64 << 10})
		s := states(t, r, map[string]string{"walk": walk})
		c := console.New(console.ServeOptions{Recorder: r, Engine: noEngine{}})
		for range 4 {
			arn := s.ARN("walk")
			record, err := s.Start(statesapi.StartInput{StateMachineARN: &arn, Input: []byte(input)})
			_, _ = r.Wrap(function, handler(func(context.Context, []byte) ([]byte, error) {
				if kind > 200 {
					return nil, fmt.Errorf("function: %.100s", answer)
				}
				return []byte(answer), nil
			})).Invoke(t.Context(), []byte(event))
			if err == nil {
				s.EndExecution(record.ExecutionARN, "Ended", input)
			}
		}
		paths := []string{"", "executions", "api/deliveries", "api/executions", "?q=" + "a"}
		// What is kept of the four is alike: the pages of the last show all that those of the
		// others do.
		for _, d := range r.Deliveries(nil, 1) {
			paths = append(paths, fmt.Sprintf("deliveries/%d", d.ID), fmt.Sprintf("api/deliveries/%d", d.ID))
		}
		for _, e := range r.Executions(nil, 1) {
			paths = append(paths, fmt.Sprintf("executions/%d?state=Inner&item=%d.0", e.ID, kind), fmt.Sprintf("api/executions/%d", e.ID))
		}
		for _, path := range paths {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_expressway/"+path, nil))
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "<script>") && !strings.HasPrefix(path, "api/") {
				t.Errorf("%s: contains the sender's markup", path)
			}
		}
		if n := r.Bytes(); n > 64<<10+len(event)+len(answer) {
			t.Errorf("%d bytes are kept", n)
		}
	})
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
