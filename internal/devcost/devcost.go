// Package devcost measures what the console's recorder costs a development server. The same
// deliveries are sent alternately to two processes, one of which records.
package devcost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/expressway-dev/expressway/internal/checkout"
)

// A Work is a delivery that both servers receive, and the project that handles it.
type Work struct {
	dir     string
	request []byte
	status  int
}

// Trivial returns the delivery whose recording costs most in comparison: it is not
// verified, and runs five states that do nothing. The project is written to a folder.
func Trivial(dir string) (Work, error) {
	machines := filepath.Join(dir, "statemachines")
	if err := os.MkdirAll(machines, 0o700); err != nil {
		return Work{}, err
	}
	for path, text := range map[string]string{
		filepath.Join(dir, "expressway.yaml"): "version: 1\nroutes:\n  - {name: r, http: POST /r, verify: none, start: m, input: '{% $request.body %}'}\n",
		filepath.Join(machines, "m.asl.json"): `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"D"},` +
			`"D":{"Type":"Pass","Next":"E"},"E":{"Type":"Succeed"}}}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return Work{}, err
		}
	}
	request, err := wire("POST", "/r", map[string]string{"content-type": "application/json"}, `{"id":1,"items":["a","b"]}`)
	return Work{dir, request, http.StatusOK}, err
}

// Order returns the sample order that `make run` sends, to the project's own routes and
// state machines: a token is checked, a Map runs, and an answer is made.
func Order() (Work, error) {
	root, err := checkout.Root()
	if err != nil {
		return Work{}, err
	}
	text, err := os.ReadFile(filepath.Join(root, "events", "webhook-order-accepted.json")) //nolint:gosec // of the repository
	if err != nil {
		return Work{}, err
	}
	var event struct {
		RawPath, Body string
		Headers       map[string]string
	}
	if err := json.Unmarshal(text, &event); err != nil {
		return Work{}, err
	}
	request, err := wire("POST", event.RawPath, event.Headers, event.Body)
	return Work{root, request, http.StatusCreated}, err
}

// wire returns a request as it is sent.
func wire(method, path string, headers map[string]string, body string) ([]byte, error) {
	r, err := http.NewRequest(method, "http://127.0.0.1"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// A Plan says how much is measured: in each turn, both servers receive a block. A median
// hides what happens in only some turns, so a block is long enough for the garbage collector
// to run at least twice.
type Plan struct{ Starts, Turns, Block int }

// piece is how many deliveries of its block a server receives before the other has its turn:
// few, so that other load on the machine affects both.
const piece = 10

// A Figure holds what a delivery costs in each turn, without the recorder and with it.
type Figure struct{ Plain, Recorded []float64 }

// A Result holds, for one delivery, the processor time of the server, the part of it in
// which its garbage collector marked, the time until the sender has the answer, all in
// nanoseconds, and the number and the bytes of allocations.
type Result struct{ CPU, Collector, Waited, Allocations, Bytes Figure }

// Add adds the turns of another measurement.
func (r *Result) Add(more Result) {
	for to, from := range map[*Figure]Figure{
		&r.CPU: more.CPU, &r.Collector: more.Collector, &r.Waited: more.Waited, &r.Allocations: more.Allocations, &r.Bytes: more.Bytes,
	} {
		to.Plain = append(to.Plain, from.Plain...)
		to.Recorded = append(to.Recorded, from.Recorded...)
	}
}

// Measure starts the two servers, fills the recorder, and sends blocks of deliveries to
// both alternately, as often as the plan says. It fails unless one server records, and the
// other does not.
func Measure(ctx context.Context, w Work, p Plan) (r Result, err error) {
	for range p.Starts {
		if err = r.start(ctx, w, p); err != nil {
			break
		}
	}
	return r, err
}

// kept is how many deliveries fill a recorder.
const kept = 1000

func (r *Result) start(ctx context.Context, w Work, p Plan) (err error) {
	var servers [2]*server
	for i, kind := range []string{"plain", recorded} {
		s, failed := start(ctx, kind, w)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		servers[i] = s
		if err := s.deliver(kept + p.Block); err != nil {
			return err
		}
	}
	for range p.Turns {
		if err := r.turn(servers, p.Block); err != nil {
			return err
		}
	}
	return differ(servers[0], servers[1])
}

// turn sends n deliveries to each server, and adds what they cost.
func (r *Result) turn(servers [2]*server, n int) error {
	var before [2]used
	var waited [2]time.Duration
	for i, s := range servers {
		u, err := s.used()
		if err != nil {
			return err
		}
		before[i] = u
	}
	for sent := 0; sent < n; sent += piece {
		for i := range servers {
			i = (i + sent/piece) % len(servers)
			began := time.Now()
			if err := servers[i].deliver(min(piece, n-sent)); err != nil {
				return err
			}
			waited[i] += time.Since(began)
		}
	}
	for i, s := range servers {
		after, err := s.used()
		if err != nil {
			return err
		}
		u := after.since(before[i], n)
		r.CPU.add(i, u.cpu)
		r.Collector.add(i, u.collector)
		r.Waited.add(i, float64(waited[i])/float64(n))
		r.Allocations.add(i, u.allocations)
		r.Bytes.add(i, u.bytes)
	}
	return nil
}

func (f *Figure) add(which int, value float64) {
	if which == 0 {
		f.Plain = append(f.Plain, value)
	} else {
		f.Recorded = append(f.Recorded, value)
	}
}

// A server is one of the two processes, and the connection to it.
type server struct {
	work   Work
	cmd    *exec.Cmd
	ask    io.WriteCloser
	told   *bufio.Reader
	conn   net.Conn
	answer *bufio.Reader
}

func start(ctx context.Context, kind string, w Work) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{work: w, cmd: exec.CommandContext(ctx, self)}
	s.cmd.Env = append(os.Environ(), asked+"="+kind+":"+w.dir)
	s.cmd.Dir, s.cmd.Stderr = w.dir, os.Stderr
	if s.ask, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	told, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.told = bufio.NewReader(told)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	var address string
	if _, err = fmt.Fscanln(s.told, &address); err == nil {
		s.conn, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the %s server: %w", kind, err), s.ask.Close(), s.cmd.Wait())
	}
	s.answer = bufio.NewReader(s.conn)
	return s, nil
}

func (s *server) stop() error { return errors.Join(s.conn.Close(), s.ask.Close(), s.cmd.Wait()) }

// deliver sends the delivery n times, and reads the answers.
func (s *server) deliver(n int) error {
	for range n {
		if _, err := s.conn.Write(s.work.request); err != nil {
			return err
		}
		response, err := http.ReadResponse(s.answer, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
		if response.StatusCode != s.work.status {
			return fmt.Errorf("the answer is %s, want %d: %s", response.Status, s.work.status, body)
		}
	}
	return nil
}

// The questions that a server is asked.
const (
	askUsed = "used"
	askKept = "kept"
)

func (s *server) used() (u used, err error) {
	if _, err = fmt.Fprintln(s.ask, askUsed); err == nil {
		_, err = fmt.Fscanln(s.told, &u.cpu, &u.collector, &u.allocations, &u.bytes)
	}
	return u, err
}

func (s *server) kept() (k keeps, err error) {
	if _, err = fmt.Fprintln(s.ask, askKept); err == nil {
		_, err = fmt.Fscanln(s.told, &k.deliveries, &k.executions)
	}
	return k, err
}

// differ returns an error unless the first server has recorded nothing, and the second one
// its deliveries with their executions: the comparison would say nothing otherwise.
func differ(plain, recorded *server) error {
	none, err := plain.kept()
	if err != nil {
		return err
	}
	all, err := recorded.kept()
	if err != nil {
		return err
	}
	if none != (keeps{}) || all != (keeps{kept, kept}) {
		return fmt.Errorf("the plain server has recorded %+v, want nothing, and the other %+v, want %d of each", none, all, kept)
	}
	return nil
}
