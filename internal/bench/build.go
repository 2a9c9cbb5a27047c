package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/expressway-dev/expressway/internal/checkout"
	"github.com/expressway-dev/expressway/internal/dist"
	"github.com/expressway-dev/expressway/internal/sources"
)

// A bench is one run of the program.
type bench struct {
	plan plan
	root string // of the module
	dir  string // for build results
	say  func(format string, args ...any)

	minimal, webhook, queues function
}

// The environment of this program, and so of the functions that it starts.
const hostOS, hostArch = runtime.GOOS, runtime.GOARCH

// Routes of the functions under test, as a user would write them: verified, and with an
// expression for the input.
const (
	webhookConfig = `version: 1
routes:
  - name: github
    http: POST /github
    verify: {provider: github, secrets: ["env:GITHUB_SECRET"]}
    start: ` + machineARN + `
    input: '{% $request.body %}'
`
	queueConfig = `version: 1
routes:
  - name: orders
    sqs: orders
    start: ` + machineARN + `
    input: '{% $message.body %}'
    concurrency: 10
`
)

const eventConfig = `version: 1
routes:
  - name: payments
    eventbridge: {source: shop}
    start: ` + machineARN + `
    input: '{% $event.detail %}'
`

// A function is a program that is built and measured. Config is its expressway.yaml; it is
// empty for the minimal one, which has none. Handler selects which of the three functions
// the layer is. Table is the endpoint of its table of dedupe records; it is empty if it has
// no table.
type function struct{ name, pkg, config, handler, table string }

var (
	minimalFunction = function{name: "minimal", pkg: "internal/bench/minimal"}
	webhookFunction = function{name: sources.Webhook, pkg: "functions/webhook", config: webhookConfig}
	queueFunction   = function{name: sources.Queue, pkg: "functions/queue", config: queueConfig}
	eventFunction   = function{name: sources.Event, pkg: "functions/event", config: eventConfig}

	// The layer is one program; the configuration that it reads is that of the function.
	layerFunctions = []function{
		{name: "layer-webhook", pkg: "functions/layer", config: webhookConfig, handler: sources.Webhook},
		{name: "layer-queue", pkg: "functions/layer", config: queueConfig, handler: sources.Queue},
		{name: "layer-event", pkg: "functions/layer", config: eventConfig, handler: sources.Event},
	}
)

// build builds the functions for this machine.
func (b *bench) build(ctx context.Context) error {
	for _, f := range []function{b.minimal, b.webhook, b.queues} {
		b.say("build %s", f.name)
		if err := b.compile(ctx, f, hostOS, hostArch, b.taskRoot(f)); err != nil {
			return err
		}
	}
	return nil
}

// zips builds two functions and the layer for arm64, and compares their zips.
func (b *bench) zips(ctx context.Context, r *report) error {
	var sizes [2]float64
	for i, f := range []function{b.minimal, b.webhook} {
		b.say("build and zip %s for arm64", f.name)
		dir := filepath.Join(b.dir, "arm64", f.name)
		if err := b.compile(ctx, f, "linux", "arm64", dir); err != nil {
			return err
		}
		size, err := zipSize(dir)
		if err != nil {
			return fmt.Errorf("zip %s: %w", f.name, err)
		}
		sizes[i] = float64(size)
	}
	r.add(budgetZip, comparison{base: sizes[:1], ours: sizes[1:]})
	b.say("zip the layer")
	archive, err := dist.Layer(ctx, b.root, "arm64", "v0.0.0")
	if err != nil {
		return err
	}
	r.add(budgetLayer, comparison{base: sizes[:1], ours: []float64{float64(len(archive))}})
	return nil
}

// taskRoot returns the directory of the function built for this machine.
func (b *bench) taskRoot(f function) string { return filepath.Join(b.dir, f.name) }

// compile writes bootstrap and expressway.yaml, as `make build-WebhookFunction` does.
func (b *bench) compile(ctx context.Context, f function, goos, goarch, dir string) error {
	if err := checkout.Build(ctx, f.pkg, goos, goarch, dir); err != nil {
		return err
	}
	if f.config == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(dir, "expressway.yaml"), []byte(f.config), 0o600); err != nil {
		return fmt.Errorf("build %s: %w", f.name, err)
	}
	return nil
}

// zipSize returns the size in bytes of the directory as a deployment package.
func zipSize(dir string) (int64, error) {
	var n counter
	w := zip.NewWriter(&n)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return int64(n), nil
}

// A counter counts the bytes written to it.
type counter int64

var _ io.Writer = (*counter)(nil)

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
