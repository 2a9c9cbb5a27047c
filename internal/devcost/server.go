package devcost

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"syscall"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// asked is the variable that makes a process one of the two servers: recorded or plain, a
// colon, and the project's folder.
const asked = "EXPRESSWAY_DEVCOST"

const recorded = "recorded"

// ServeIfAsked turns a process that [Measure] started into a server, and ends it
// afterwards. Programs that call Measure call it first.
func ServeIfAsked() {
	what, ok := os.LookupEnv(asked)
	if !ok {
		return
	}
	kind, dir, _ := strings.Cut(what, ":")
	if err := serve(kind == recorded, dir, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs a development server as `expressway dev` makes it, until in ends. It writes
// its address, and then, for each question that it reads, a line of answers.
func serve(record bool, dir string, in io.Reader, out io.Writer) error {
	env, err := environment(dir)
	if err != nil {
		return err
	}
	options := devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: filepath.Join(dir, "statemachines"),
		Getenv: func(name string) string { return env[name] },
	}
	var log slog.Handler = slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn})
	if record {
		options.Recorder = console.NewRecorder(console.Options{Settled: func(console.Delivery) {}})
		log = options.Recorder.Log(log)
	}
	options.Log = slog.New(log)
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	listen := devserver.ListenOptions{HTTP: "127.0.0.1:0", States: "127.0.0.1:0"}
	if record {
		listen.Console = func(webhooks, states string) http.Handler {
			return console.New(console.ServeOptions{
				Recorder: options.Recorder, Engine: local.Engine("events", webhooks), Secrets: local.Blanked(), Webhooks: webhooks, States: states, Log: options.Log,
			})
		}
	}
	server, err := devserver.Listen(local, listen)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	if _, err := fmt.Fprintln(out, server.Webhooks()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if lines.Text() == askKept {
			k := keepsOf(options.Recorder)
			_, err = fmt.Fprintln(out, k.deliveries, k.executions)
		} else {
			u := usage()
			_, err = fmt.Fprintln(out, u.cpu, u.collector, u.allocations, u.bytes)
		}
		if err != nil {
			return err
		}
	}
	stop()
	return <-served
}

// used is what a server has used since it began: processor time, the part of it that the
// garbage collector marked in, and the number and the bytes of allocations.
type used struct{ cpu, collector, allocations, bytes float64 }

func (u used) since(before used, n int) used {
	per := float64(n)
	return used{(u.cpu - before.cpu) / per, (u.collector - before.collector) / per, (u.allocations - before.allocations) / per, (u.bytes - before.bytes) / per}
}

func usage() (u used) {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // cannot fail for this process
	u.cpu = float64(r.Utime.Nano() + r.Stime.Nano())
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"},
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
	}
	metrics.Read(samples)
	u.allocations = float64(samples[0].Value.Uint64())
	u.bytes = float64(samples[1].Value.Uint64())
	for _, s := range samples[2:] {
		u.collector += 1e9 * s.Value.Float64()
	}
	return u
}

// keeps is how many deliveries a recorder has, and how many executions that a delivery
// started.
type keeps struct{ deliveries, executions int }

func keepsOf(r *console.Recorder) (k keeps) {
	if r != nil {
		k.deliveries = len(r.Deliveries(nil, kept))
		k.executions = len(r.Executions(func(e *console.Execution) bool { return e.Delivery != 0 }, kept))
	}
	return k
}

// environment reads the variables of all functions in a project's env.json, if it has one.
func environment(dir string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "env.json")) //nolint:gosec // of the project that is measured
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var functions map[string]map[string]string
	if err == nil {
		err = json.Unmarshal(text, &functions)
	}
	env := map[string]string{}
	for _, variables := range functions {
		maps.Copy(env, variables)
	}
	return env, err
}
