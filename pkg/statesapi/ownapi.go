package statesapi

import (
	"bytes"
	"io"
	"net/http"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// ownAPI runs the tasks aws-sdk:sfn:ACTION on the service's own API, without a network.
func (s *Service) ownAPI(next asl.TaskRunner) asl.TaskRunner {
	return &tasks.Services{
		Endpoint: func(m *awsmodel.Service) string {
			if m.Name == "sfn" {
				return "http://states.local"
			}
			return ""
		},
		Client: &http.Client{Transport: inProcess{NewHandler(s, HandlerOptions{})}},
		Region: s.opts.Region,
		Next:   next,
	}
}

// inProcess passes requests to a handler in the same process.
type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &buffered{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// A buffered is a response in memory.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *buffered) Header() http.Header         { return w.header }
func (w *buffered) WriteHeader(status int)      { w.status = status }
func (w *buffered) Write(p []byte) (int, error) { return w.body.Write(p) }
