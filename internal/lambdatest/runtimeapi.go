package lambdatest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const apiRoot = "/2018-06-01/runtime/"

// Trailers with which a function ends a response that failed half way. They follow a
// status of success.
const (
	trailerErrorType = "Lambda-Runtime-Function-Error-Type"
	trailerErrorBody = "Lambda-Runtime-Function-Error-Body"
)

func (s *sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiRoot+"invocation/next", s.serveNext)
	mux.HandleFunc("POST "+apiRoot+"invocation/{id}/response", s.serveResponse)
	mux.HandleFunc("POST "+apiRoot+"invocation/{id}/error", s.serveError)
	mux.HandleFunc("POST "+apiRoot+"init/error", s.serveInitError)
	return mux
}

// serveNext delivers the next event. A process may have as many polls and events between
// them as its concurrency allows: polling without having answered is out of turn.
func (s *sandbox) serveNext(w http.ResponseWriter, r *http.Request) {
	s.once.Do(func() {
		s.cold = time.Since(s.began)
		close(s.polled)
	})
	s.mu.Lock()
	if s.waiting+len(s.inflight) >= s.opts.Concurrency {
		s.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the last event has not been answered")
		return
	}
	s.waiting++
	s.mu.Unlock()

	var inv *invocation
	select {
	case inv = <-s.work:
	case <-r.Context().Done():
	}

	s.mu.Lock()
	s.waiting--
	if inv == nil {
		s.mu.Unlock()
		return
	}
	inv.began = time.Now()
	s.inflight[inv.id] = inv
	s.mu.Unlock()

	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.event)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.began.Add(inv.timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", s.opts.arn())
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	_, _ = w.Write(inv.event) // the end of a process is detected by its exit
}

func (s *sandbox) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := readLimited(r.Body, maxResponse)
	now := time.Now()
	inv := s.take(r.PathValue("id"))
	switch {
	case inv == nil:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no event with this id is in progress")
	case errors.Is(err, errTooLarge):
		inv.answer <- answer{err: tooLargeError(), took: now.Sub(inv.began)}
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
	case err != nil:
		inv.answer <- answer{err: platformError("Runtime.TruncatedResponse", err.Error()), took: now.Sub(inv.began)}
		refuse(w, http.StatusBadRequest, "TruncatedResponse", err.Error())
	case r.Trailer.Get(trailerErrorType) != "":
		inv.answer <- answer{err: trailerError(r.Trailer), took: now.Sub(inv.began)}
		accept(w)
	default:
		inv.answer <- answer{payload: body, took: now.Sub(inv.began)}
		accept(w)
	}
}

func (s *sandbox) serveError(w http.ResponseWriter, r *http.Request) {
	body, err := readLimited(r.Body, maxResponse)
	now := time.Now()
	inv := s.take(r.PathValue("id"))
	if inv == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no event with this id is in progress")
		return
	}
	failure := tooLargeError()
	if err == nil {
		failure = reported(body)
	}
	inv.answer <- answer{err: failure, took: now.Sub(inv.began)}
	accept(w)
}

// serveInitError keeps what the process reports about its init. The failure itself is
// detected by its exit, which must follow.
func (s *sandbox) serveInitError(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.polled:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "init is over")
		return
	default:
	}
	body, err := readLimited(r.Body, maxResponse)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	s.mu.Lock()
	s.initErr = reported(body)
	s.mu.Unlock()
	accept(w)
}

// take removes the invocation from those in progress; the caller answers it.
func (s *sandbox) take(id string) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := s.inflight[id]
	delete(s.inflight, id)
	return inv
}

func trailerError(trailer http.Header) *Error {
	body, err := base64.StdEncoding.DecodeString(trailer.Get(trailerErrorBody))
	if err != nil {
		return platformError(trailer.Get(trailerErrorType), "the error trailer is not base64")
	}
	failure := reported(body)
	failure.Type = trailer.Get(trailerErrorType)
	return failure
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, kind, message)
}
