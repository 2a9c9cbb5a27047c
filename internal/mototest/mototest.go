// Package mototest starts moto's server for a test. It emulates SQS, DynamoDB, SSM,
// Secrets Manager and other services of AWS over their real wire protocols.
//
// It needs Python with moto[server]: `make venv` makes one, and EXPRESSWAY_PYTHON
// names its interpreter. moto runs no Step Functions: internal/lambdatest does.
package mototest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

// variable names the Python that has moto.
const variable = "EXPRESSWAY_PYTHON"

// startLimit is how long Python may take to load moto on a busy machine.
const startLimit = time.Minute

// running matches the line in which the server reports its port.
var running = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// A Server is one moto server, empty when it starts.
type Server struct {
	// URL is the endpoint of every service.
	URL string
}

// Start runs a server on a free loopback port until the test and its subtests end. That
// takes a second or two, so tests should share one. Without EXPRESSWAY_PYTHON the test is
// skipped, whatever Python the machine has: `make test` needs nothing but Go.
func Start(t testing.TB) *Server {
	t.Helper()
	python := shared.Program(t, variable)
	cmd := exec.Command(python, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
	// A signature is not checked, but the region and account are read from it.
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+Region, "NO_COLOR=1")
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(python + " cannot be run: " + err.Error())
	}
	lines := make(chan string)
	stop := make(chan struct{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(lines)
		listen(out, lines, stop)
	}()
	t.Cleanup(func() {
		close(stop)
		_ = cmd.Process.Kill() // it has no state that a gentler end would save
		<-read
		_ = cmd.Wait() // says that it was killed
	})
	return &Server{URL: await(t, lines)}
}

// listen passes on the server's output until stop, and then discards it: a full pipe
// would block the server.
func listen(out io.Reader, lines chan<- string, stop <-chan struct{}) {
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		select {
		case lines <- scanner.Text():
		case <-stop:
			_, _ = io.Copy(io.Discard, out)
			return
		}
		if running.MatchString(scanner.Text()) {
			break
		}
	}
	_, _ = io.Copy(io.Discard, out)
}

func await(t testing.TB, lines <-chan string) string {
	t.Helper()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	var said []string
	for {
		select {
		case line, open := <-lines:
			if m := running.FindStringSubmatch(line); m != nil {
				return m[1]
			}
			if !open {
				t.Fatal("moto.server does not start: " + strings.Join(said[max(0, len(said)-3):], "; "))
			}
			said = append(said, line)
		case <-limit.C:
			t.Fatalf("moto.server does not start within %v: %s", startLimit, strings.Join(said, "; "))
		}
	}
}

// Region and Account are where everything in the server is.
const (
	Region  = "us-east-1"
	account = "123456789012"
)

// Getenv returns the environment of a function whose AWS is this server; internal/awsenv
// makes an SDK configuration from it.
func (s *Server) Getenv(name string) string {
	switch name {
	case "AWS_REGION", "AWS_DEFAULT_REGION":
		return Region
	case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
		return "testing"
	case "AWS_ENDPOINT_URL":
		return s.URL
	}
	return ""
}
