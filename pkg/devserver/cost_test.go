package devserver_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/devcost"
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
// server. The ratio is the median of those turn by turn, with its quartiles; an iteration
// is four starts of both servers.
func BenchmarkRecorder(b *testing.B) {
	trivial, err := devcost.Trivial(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	order, err := devcost.Order()
	if err != nil {
		b.Fatal(err)
	}
	for name, work := range map[string]devcost.Work{"trivial": trivial, "order": order} {
		b.Run(name, func(b *testing.B) {
			var sum devcost.Result
			for b.Loop() {
				r, err := devcost.Measure(b.Context(), work, devcost.Plan{Starts: 4, Turns: 25, Block: 400})
				if err != nil {
					b.Fatal(err)
				}
				sum.Add(r)
			}
			b.ReportMetric(0, "ns/op")
			for unit, f := range map[string]devcost.Figure{"cpu-ratio": sum.CPU, "waited-ratio": sum.Waited} {
				ratios := make([]float64, len(f.Plain))
				for i := range ratios {
					ratios[i] = f.Recorded[i] / f.Plain[i]
				}
				b.ReportMetric(median(ratios), unit)
				b.ReportMetric(ratios[len(ratios)/4], unit+"-q1")
				b.ReportMetric(ratios[len(ratios)*3/4], unit+"-q3")
			}
			for unit, f := range map[string]devcost.Figure{"cpu-ns": sum.CPU, "collector-ns": sum.Collector, "waited-ns": sum.Waited, "allocs": sum.Allocations, "bytes": sum.Bytes} {
				b.ReportMetric(median(f.Plain), "plain-"+unit)
				b.ReportMetric(median(f.Recorded), "recorded-"+unit)
			}
		})
	}
}

// median sorts the values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// Recording a delivery, its execution and five states allocates little: what is shown of
// them is made when it is first shown.
func TestRecorderAllocatesLittle(t *testing.T) {
	var allocations [2]float64
	for i, call := range []func(){webhooks(t, nil), webhooks(t, console.NewRecorder(console.Options{Deliveries: 20, Executions: 20, Settled: func(console.Delivery) {}}))} {
		for range 30 { // until the recorder is full
			call()
		}
		allocations[i] = testing.AllocsPerRun(200, call)
	}
	t.Logf("%.0f allocations of a delivery, %.0f with the recorder", allocations[0], allocations[1])
	if most := allocations[0] + 12; allocations[1] > most {
		t.Errorf("%.0f allocations of a delivery with the recorder, want at most %.0f", allocations[1], most)
	}
}
