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
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// webhooks is a development server with one route, as `expressway dev` makes it; call sends
// a delivery that runs five states.
func webhooks(b *testing.B, recorder *console.Recorder) (call func()) {
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
// server, as the median of the ratios turn by turn.
func BenchmarkRecorder(b *testing.B) {
	const block = 20
	calls := [2]func(){webhooks(b, nil), webhooks(b, console.NewRecorder(console.Options{}))}
	for range 1500 { // until the recorder is full
		calls[0]()
		calls[1]()
	}
	var ratios []float64
	for n := 0; b.Loop(); n++ {
		var took [2]time.Duration
		for i := range calls {
			i = (i + n) % 2
			began := time.Now()
			for range block {
				calls[i]()
			}
			took[i] = time.Since(began)
		}
		ratios = append(ratios, float64(took[1])/float64(took[0]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}
