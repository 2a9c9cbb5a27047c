package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// However many deliveries there are, memory stays what it was. EXPRESSWAY_SOAK makes it a
// hundred thousand.
func TestSoak(t *testing.T) {
	n := 3000
	if os.Getenv("EXPRESSWAY_SOAK") != "" {
		n = 100_000
	}
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"walk": walk})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	input := `{"x":"` + strings.Repeat("x", 2000) + `"}`
	for range 1500 { // full
		run(t, r, s, "walk", input)
	}
	before := heap()
	for range n {
		run(t, r, s, "walk", input)
	}
	after := heap()
	t.Logf("%d deliveries: %d KiB before, %d KiB after", n, before>>10, after>>10)
	if after > before+before/2+4<<20 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
}

// What recording costs an execution, over plain HTTP.
func BenchmarkExecution(b *testing.B) {
	const definition = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"D"},"D":{"Type":"Pass","Next":"E"},"E":{"Type":"Succeed"}}}`
	r := console.NewRecorder(console.Options{})
	for name, options := range map[string]statesapi.Options{
		"plain": {}, "recorded": {Observe: r.Observe, OnExecution: r.OnExecution},
	} {
		b.Run(name, func(b *testing.B) {
			s := statesapi.New(options)
			defer func() { _ = s.Close(context.Background()) }()
			if err := s.Put("five", []byte(definition)); err != nil {
				b.Fatal(err)
			}
			server := httptest.NewServer(statesapi.NewHandler(s, nil))
			defer server.Close()
			body := `{"stateMachineArn":"` + s.ARN("five") + `","input":"{\"a\":1}"}`
			for b.Loop() {
				request, _ := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body))
				request.Header.Set("Content-Type", "application/x-amz-json-1.0")
				request.Header.Set("X-Amz-Target", "AWSStepFunctions.StartSyncExecution")
				response, err := server.Client().Do(request)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
}
