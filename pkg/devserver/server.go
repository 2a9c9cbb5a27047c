package devserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// stopTime is how long a stop waits for what runs: as long as the samples' longest.
const stopTime = 5 * time.Second

// A Server listens for webhooks and for Step Functions clients.
type Server struct {
	local   *Local
	log     *slog.Logger
	servers []*http.Server
	listens []net.Listener
}

// Listen opens both addresses. An address in use is an error that says so.
func Listen(local *Local, httpAddress, statesAddress string, log *slog.Logger) (*Server, error) {
	s := &Server{local: local, log: log}
	front := &http.Server{
		Handler:           &gateway{handler: local.Webhook, newID: rand.Text, now: time.Now},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	s.servers = []*http.Server{front, statesapi.NewServer(statesapi.NewHandler(local.States, log))}
	for i, address := range []string{httpAddress, statesAddress} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			for _, open := range s.listens {
				_ = open.Close()
			}
			flag := []string{"--http", "--states"}[i]
			return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", address, err, flag)
		}
		s.listens = append(s.listens, l)
	}
	return s, nil
}

// Webhooks is the address of the HTTP routes.
func (s *Server) Webhooks() string { return s.listens[0].Addr().String() }

// States is the address of the Step Functions API.
func (s *Server) States() string { return s.listens[1].Addr().String() }

// Open tells whether one of the addresses can be reached from other machines.
func (s *Server) Open() bool {
	for _, l := range s.listens {
		if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			return true
		}
	}
	return false
}

// Serve answers until ctx ends; then it lets what runs finish, for a few seconds.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, len(s.servers))
	for i, server := range s.servers {
		go func() { failed <- server.Serve(s.listens[i]) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	for _, server := range s.servers {
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
