// Package lambdalog makes the logger of a Lambda function: aws-lambda-go's logger, which
// adds the request's id, with the ids that link the lines of one delivery.
package lambdalog

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// New returns the logger. Each line of an invocation has traceId, the root of its X-Ray
// trace. With POWERTOOLS_SERVICE_NAME set it also has service, cold_start,
// function_request_id and xray_trace_id, as Powertools for AWS Lambda names them. attrs
// are in every line.
//
// It also keeps the documents of function errors out of the log, which aws-lambda-go writes
// there with the standard logger: one of a failed event holds the workflow's cause, which may
// be payload. They are written if EXPRESSWAY_LOG_CAUSE is on.
func New(getenv func(string) string, attrs ...slog.Attr) *slog.Logger {
	if getenv("EXPRESSWAY_LOG_CAUSE") != "on" {
		log.SetOutput(dropErrors(os.Stderr))
	}
	return slog.New(wrap(lambdacontext.NewLogHandler(), getenv).WithAttrs(attrs))
}

// dropErrors returns a writer that drops the error documents of aws-lambda-go, and
// passes everything else on.
func dropErrors(next io.Writer) io.Writer { return withoutErrors{next} }

type withoutErrors struct{ next io.Writer }

// Write implements [io.Writer].
func (w withoutErrors) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`{"errorMessage":`)) {
		return len(line), nil
	}
	return w.next.Write(line)
}

// wrap wraps a handler with the ids that New describes.
func wrap(next slog.Handler, getenv func(string) string) slog.Handler {
	return &handler{next: next, service: getenv("POWERTOOLS_SERVICE_NAME"), first: &first{}}
}

type handler struct {
	next    slog.Handler
	service string
	first   *first
}

// first remembers the first invocation of the process.
type first struct {
	once sync.Once
	id   string
}

// cold reports whether an invocation is the first.
func (f *first) cold(id string) bool {
	f.once.Do(func() { f.id = id })
	return f.id == id
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	trace := root(ctx)
	if trace != "" && !has(r, "traceId") { // a message can have a trace of its own
		r.AddAttrs(slog.String("traceId", trace))
	}
	if h.service == "" {
		return h.next.Handle(ctx, r)
	}
	r.AddAttrs(slog.String("service", h.service))
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.Bool("cold_start", h.first.cold(lc.AwsRequestID)), slog.String("function_request_id", lc.AwsRequestID))
	}
	if trace != "" {
		r.AddAttrs(slog.String("xray_trace_id", trace))
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return &handler{h.next.WithAttrs(attrs), h.service, h.first}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.service, h.first}
}

func has(r slog.Record, key string) bool {
	found := false
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// root returns the trace id of the invocation: the Root of the header that Lambda passes.
func root(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string) // the key of aws-lambda-go
	for field := range strings.SplitSeq(header, ";") {
		if id, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return id
		}
	}
	return ""
}
