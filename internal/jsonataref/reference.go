// Package jsonataref runs the reference implementation of JSONata, in Node, so that
// pkg/jsonata can be compared with it. `npm ci` in this folder installs it.
package jsonataref

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The versions that package.json pins.
const (
	Newest        = "2.2.2" // the whole language
	StepFunctions = "2.0.6" // what AWS Step Functions runs
)

// A Request is an expression to be evaluated, or measured if Seconds is not 0.
type Request struct {
	Version string                     `json:"version"`
	Expr    string                     `json:"expr"`
	Input   json.RawMessage            `json:"input,omitempty"` // nothing: undefined
	Vars    map[string]json.RawMessage `json:"vars,omitempty"`
	Timeout int                        `json:"timeout,omitempty"` // milliseconds; the newest version only
	Seconds float64                    `json:"seconds,omitempty"`
}

// An Answer is the reference's answer to a Request.
type Answer struct {
	Value    *string `json:"value"` // JSON text, with [functionMark] and [Number] in it; nil when undefined
	Code     string  `json:"code"`
	Position int     `json:"position"` // of the end of the token, in UTF-16 units; -1 when not known
	Token    string  `json:"token"`
	Message  string  `json:"message"`
	Crash    string  `json:"crash"` // the message of an error without a code: a fault of the reference
	Hangs    bool    `json:"-"`     // it did not answer in time
	Nanos    float64 `json:"nanos"` // of one evaluation, when it was measured
}

// The texts in an Answer's Value for values that JSON cannot represent.
const (
	functionMark = "\u0001function"
	Number       = "\u0001number" // NaN, Infinity
)

// A Reference is a running Node process. It is not safe for concurrent use.
type Reference struct {
	command func() *exec.Cmd
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// errMissing is why the reference cannot run here.
var errMissing = errors.New("the reference implementation is not installed")

// Start starts the reference that is installed in dir, which is this package's folder.
func Start(dir string) (*Reference, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return nil, fmt.Errorf("%w: there is no node", errMissing)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "jsonata")); err != nil {
		return nil, fmt.Errorf("%w: run npm ci in %s", errMissing, dir)
	}
	r := &Reference{command: func() *exec.Cmd {
		cmd := exec.Command("node", "--stack-size=4000", "reference.mjs")
		cmd.Dir = dir
		return cmd
	}}
	return r, r.start()
}

func (r *Reference) start() error {
	r.cmd = r.command()
	r.cmd.Stderr = os.Stderr
	in, err := r.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	r.in, r.out = in, bufio.NewReaderSize(out, 1<<20)
	return r.cmd.Start()
}

// Close ends the process.
func (r *Reference) Close() error {
	if err := r.in.Close(); err != nil {
		return err
	}
	return r.cmd.Wait()
}

// Ask returns the answers to requests. If a request is not answered within patience, the
// process is killed, and started again for the following requests.
func (r *Reference) Ask(ctx context.Context, requests []Request, patience time.Duration) ([]Answer, error) {
	answers := make([]Answer, 0, len(requests))
	for len(answers) < len(requests) {
		got, err := r.ask(ctx, requests[len(answers):], patience)
		answers = append(answers, got...)
		if err != nil {
			return nil, err
		}
		if len(answers) < len(requests) {
			answers = append(answers, Answer{Hangs: true})
			if err := r.start(); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// ask returns fewer answers than requests if one takes too long; the process has then
// been killed.
func (r *Reference) ask(ctx context.Context, requests []Request, patience time.Duration) ([]Answer, error) {
	sent := make(chan error, 1)
	go func() { sent <- send(r.in, requests) }()
	var answers []Answer
	for range requests {
		watch := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
		line, err := r.out.ReadBytes('\n')
		if !watch.Stop() {
			<-sent
			_ = r.cmd.Wait() // killed
			return answers, ctx.Err()
		}
		if err != nil {
			<-sent
			return answers, fmt.Errorf("the reference stopped: %w", errors.Join(err, r.cmd.Wait()))
		}
		var a Answer
		if err := json.Unmarshal(line, &a); err != nil {
			return answers, err
		}
		answers = append(answers, a)
		if ctx.Err() != nil {
			_ = r.cmd.Process.Kill()
			<-sent
			return answers, ctx.Err()
		}
	}
	return answers, <-sent
}

func send(w io.Writer, requests []Request) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	for i := range requests {
		text, err := json.Marshal(&requests[i])
		if err != nil {
			return err
		}
		if _, err := buf.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return buf.Flush()
}
