package devserver_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// webhooks is a development server with one route, as `expressway dev` makes it; call sends
// a delivery that runs five states.
func webhooks(b testing.TB, recorder *console.Recorder) (call func()) {
	b.Helper()
	dir := b.TempDir()
	for name, text := range map[string]string{
		"expressway.yaml": "version: 1\nroutes:\n  - {name: r, http: POST /r, verify: none, start: m, input: '{% $request.body %}'}\n",
		"m.asl.json": `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"D"},` +
			`"D":{"Type":"Pass","Next":"E"},"E":{"Type":"Succeed"}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if recorder != nil {
		log = slog.New(recorder.Log(log.Handler()))
	}
	local, err := devserver.NewLocal(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Log: log, Recorder: recorder, Getenv: func(string) string { return "" },
	})
	if err != nil {
		b.Fatal(err)
	}
	server, err := devserver.Listen(local, devserver.ListenOptions{HTTP: "127.0.0.1:0", States: "127.0.0.1:0", Log: log})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(func() {
		client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	url := "http://" + server.Webhooks() + "/r"
	return func() {
		response, err := client.Post(url, "application/json", strings.NewReader(`{"id":1,"items":["a","b"]}`))
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
			b.Error(response.Status)
		}
	}
}

// BenchmarkRecorder is what the console's recorder costs a delivery on a development
// server, with the short line that the terminal gets. Both servers are called in turns, and
// the ratios are those of the medians: of the processor's time, which nothing else on the
// machine takes part in, and of the time that a delivery waits.
func BenchmarkRecorder(b *testing.B) {
	recorder := console.NewRecorder(console.Options{Settled: func(console.Delivery) {}})
	calls := [2]func(){webhooks(b, nil), webhooks(b, recorder)}
	for range 1500 { // until the recorder is full
		calls[0]()
		calls[1]()
	}
	const block = 50
	var worked, waited [2][]time.Duration
	for n := 0; b.Loop(); n++ {
		for i := range calls {
			i = (i + n) % 2
			before := processor()
			for range block {
				began := time.Now()
				calls[i]()
				waited[i] = append(waited[i], time.Since(began))
			}
			worked[i] = append(worked[i], (processor()-before)/block)
		}
	}
	median := func(of []time.Duration) float64 {
		slices.Sort(of)
		return float64(of[len(of)/2].Nanoseconds())
	}
	for i, name := range []string{"plain", "recorded"} {
		var before, after runtime.MemStats
		const calm = 300
		runtime.ReadMemStats(&before)
		for range calm {
			calls[i]()
		}
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/calm, name+"-allocs")
		b.ReportMetric(median(worked[i]), name+"-cpu-ns")
		b.ReportMetric(median(waited[i]), name+"-ns")
	}
	b.ReportMetric(median(worked[1])/median(worked[0]), "cpu-ratio")
	b.ReportMetric(median(waited[1])/median(waited[0]), "ratio")
}

// Recording a delivery, its execution and five states makes little: what is shown of it is
// made when somebody looks.
func TestRecorderAllocatesLittle(t *testing.T) {
	var allocations [2]float64
	for i, call := range []func(){webhooks(t, nil), webhooks(t, console.NewRecorder(console.Options{Deliveries: 20, Executions: 20, Settled: func(console.Delivery) {}}))} {
		for range 30 { // until the recorder is full
			call()
		}
		allocations[i] = testing.AllocsPerRun(200, call)
	}
	t.Logf("%.0f allocations of a delivery, %.0f with the recorder", allocations[0], allocations[1])
	if most := allocations[0] + 25; allocations[1] > most {
		t.Errorf("%.0f allocations of a delivery with the recorder, want at most %.0f", allocations[1], most)
	}
}

// processor is the time that this process has had.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for this process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
