package devserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// stopTime is how long a stop waits for running executions: as long as the longest sample
// takes.
const stopTime = 5 * time.Second

// ListenOptions say where a [Server] listens, and to whom.
type ListenOptions struct {
	// HTTP is the address of the webhook routes, and States that of the Step Functions
	// API. A listener on 127.0.0.1 or localhost is also reachable at ::1 if there is
	// IPv6, because localhost means either, and clients differ in which they try.
	HTTP, States string
	// AllowHosts are names, in addition to those of this machine, under which the Step Functions
	// API and the console may be called; see [guard].
	AllowHosts []string
	// Console returns the handler of [console.Path], given the URLs of the webhook routes
	// and of the Step Functions API; nil leaves the path to the routes.
	Console func(webhooks, states string) http.Handler
	// Log receives what clients must not see.
	Log *slog.Logger
	// Waiting is called with the ARNs of the running executions when a stop begins; it
	// may be nil.
	Waiting func(executions []string, limit time.Duration)
}

// A Server listens for webhooks and for Step Functions clients.
type Server struct {
	local   *Local
	options ListenOptions
	front   *http.Server
	states  *http.Server
	listens map[*http.Server][]net.Listener
}

// Listen opens both addresses. An address in use is an error that says so.
func Listen(local *Local, o ListenOptions) (*Server, error) {
	s := &Server{local: local, options: o, listens: map[*http.Server][]net.Listener{}}
	s.front = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	s.states = statesapi.NewServer(nil)
	for _, l := range []struct {
		server        *http.Server
		address, flag string
	}{{s.front, o.HTTP, "--http"}, {s.states, o.States, "--states"}} {
		list, err := listen(l.address)
		if err != nil {
			s.closeListeners()
			return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", l.address, err, l.flag)
		}
		s.listens[l.server] = list
	}
	routes, err := local.Handler("webhook")
	if err != nil {
		return nil, err
	}
	s.front.Handler = s.frontHandler(routes)
	api := statesapi.NewHandler(local.States, statesapi.HandlerOptions{Log: o.Log, EndWithCaller: true})
	s.states.Handler = s.guard(s.states).Wrap(api)
	return s, nil
}

// frontHandler serves the webhook routes to every client, because tunnels send their own
// host names, and the console only to this machine.
func (s *Server) frontHandler(webhook lambda.Handler) http.Handler {
	routes := &functionURL{
		handler: webhook, region: s.local.Region, account: s.local.Account, titled: s.local.recorder != nil, newID: rand.Text, now: time.Now,
	}
	if s.options.Console == nil {
		return routes
	}
	// A ServeMux would redirect paths that it finds untidy: they are the routes' own.
	pages := s.guard(s.front).Wrap(s.options.Console("http://"+s.Webhooks(), "http://"+s.States()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) >= len(console.Path)-1 && (r.URL.Path + "/")[:len(console.Path)] == console.Path {
			pages.ServeHTTP(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

func (s *Server) guard(server *http.Server) guard {
	return guard{Allowed: s.options.AllowHosts, AnyAddress: isOpen(s.listens[server])}
}

// listen opens an address and, if it is a loopback address that localhost may mean, that
// of the other IP version too.
func listen(address string) ([]net.Listener, error) {
	first, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	list := []net.Listener{first}
	host, _, _ := net.SplitHostPort(address)
	bound, ok := first.Addr().(*net.TCPAddr)
	if !ok || host != "localhost" && host != "127.0.0.1" || bound.IP.To4() == nil {
		return list, nil
	}
	// Without IPv6, or if the port is in use there, one address must suffice.
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(bound.Port))); err == nil {
		list = append(list, second)
	}
	return list, nil
}

// Close releases the addresses of a server that is not serving.
func (s *Server) Close() error {
	s.closeListeners()
	return nil
}

func (s *Server) closeListeners() {
	for _, list := range s.listens {
		for _, l := range list {
			_ = l.Close()
		}
	}
}

// Webhooks returns the address of the HTTP routes.
func (s *Server) Webhooks() string { return reachable(s.listens[s.front][0].Addr()) }

// States returns the address of the Step Functions API.
func (s *Server) States() string { return reachable(s.listens[s.states][0].Addr()) }

// reachable returns an address that a client on this machine can open: a server that listens
// on all addresses has none of its own.
func reachable(bound net.Addr) string {
	if a, ok := bound.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	return bound.String()
}

// Open reports whether one of the addresses can be reached from other machines.
func (s *Server) Open() bool { return isOpen(s.listens[s.front]) || isOpen(s.listens[s.states]) }

func isOpen(list []net.Listener) bool {
	for _, l := range list {
		if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			return true
		}
	}
	return false
}

// running returns the executions that a stop waits for: those that wait for a task token
// do not end by themselves.
func (s *Server) running() []string {
	waits := map[string]bool{}
	for _, w := range s.local.States.Waits("") {
		waits[w.ExecutionARN] = true
	}
	return slices.DeleteFunc(s.local.States.Running(), func(arn string) bool { return waits[arn] })
}

// Serve answers until ctx ends; then it waits a few seconds for running executions.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, 4)
	for server, list := range s.listens {
		for _, l := range list {
			go func() { failed <- server.Serve(l) }()
		}
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if running := s.running(); len(running) > 0 && s.options.Waiting != nil {
		s.options.Waiting(running, stopTime)
	}
	for server := range s.listens {
		if shut := server.Shutdown(stop); shut != nil {
			_ = server.Close()
		}
	}
	if closed := s.local.Close(stop); closed != nil && err == nil && !errors.Is(closed, context.DeadlineExceeded) {
		err = closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
