// Command embed plays a Go program of a third party that runs Expressway's three handlers
// with a Starter, a JSONata function and a logger of its own.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// echo answers each execution with its own input.
type echo struct{}

func (echo) StartSync(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn:echo:" + s.Route, Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}

func (echo) Start(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn:echo:" + s.Route, Name: s.Name, Status: bridge.Running}, nil
}

func shout(_ context.Context, args []any) (any, error) { return strings.ToUpper(args[0].(string)), nil }

// acme verifies a sender that has no preset: its signature is the secret itself.
var acme = verify.Custom{
	Name:    "acme",
	Headers: []string{"X-Acme-Key"},
	Verify: func(r *verify.Request, secret string, _ time.Time) bool {
		return subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Acme-Key")), []byte(secret)) == 1
	},
}

func main() {
	g, err := gateway.New(gateway.Options{
		Config:  "expressway.yaml",
		Starter: echo{},
		Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
		JSONata: []jsonata.Option{jsonata.WithFunction("shout", "<s:s>", shout)},
		Schemes: []*verify.Custom{&acme},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	webhook, err := g.Webhook()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	handlers := map[string]interface {
		Invoke(context.Context, []byte) ([]byte, error)
	}{"webhook": webhook, "queue": g.Queue(), "event": g.Event()}
	var event json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&event); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out, err := handlers[os.Args[1]].Invoke(context.Background(), event)
	fmt.Println(string(out), err)
}
