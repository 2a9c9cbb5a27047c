package statesapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// maxRequest is the largest body in bytes that a [Handler] reads; AWS takes 1 MB.
const maxRequest = 1 << 20

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "AWSStepFunctions."

	// The names are in canonical form, so net/http need not convert them each time.
	headerRequestID = "X-Amzn-Requestid"
	headerErrorType = "X-Amzn-Errortype"
)

var awsJSON = []string{contentType}

// A Handler speaks AWS JSON 1.0 in front of a [Service], as states.REGION.amazonaws.com
// does. Any Host is served, including the SDKs' sync- host; signatures are optional and
// not checked. As in AWS, an execution continues if its caller hangs up, unless
// [HandlerOptions] say otherwise. It is safe for concurrent use.
type Handler struct {
	service       *Service
	log           *slog.Logger
	endWithCaller bool
}

// HandlerOptions are the optional settings of a [Handler]. The zero value has the defaults.
type HandlerOptions struct {
	// Log receives what callers must not see, such as panics; nil discards it.
	Log *slog.Logger
	// EndWithCaller ends a synchronous execution when its caller hangs up. AWS lets it
	// continue, which is the default; on a laptop, one that loops would run for five
	// minutes without a way to end it.
	EndWithCaller bool
}

// NewHandler returns a Handler.
func NewHandler(service *Service, o HandlerOptions) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{service: service, log: o.Log, endWithCaller: o.EndWithCaller}
}

// NewServer returns a server of the handler with bounds on everything that a slow or
// hostile client could drag out. Its write timeout allows for an execution of five minutes.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      7 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := h.service.opts.UUID()
	w.Header()[headerRequestID] = []string{id}
	out, err := h.serve(r)
	if err != nil {
		h.refuse(w, r, id, err)
		return
	}
	body, err := encode(out)
	if err != nil {
		h.refuse(w, r, id, fmt.Errorf("encode answer: %w", err))
		return
	}
	task, ok := out.(*ActivityTaskOutput)
	if !ok || task.undelivered == nil {
		write(w, http.StatusOK, body)
		return
	}
	if r.Context().Err() != nil || deliver(w, body) != nil {
		task.undelivered()
	}
}

func encode(out any) ([]byte, error) {
	if sync, ok := out.(*syncOutput); ok {
		return sync.appendJSON(make([]byte, 0, sync.room())), nil
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(body.Bytes(), []byte{'\n'}), nil
}

// serve is the boundary where a panic becomes an error.
func (h *Handler) serve(r *http.Request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	run, err := route(r)
	if err != nil {
		return nil, err
	}
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	members, invalid := decodeFields(body)
	if invalid != nil {
		return nil, invalid
	}
	c := &call{fields: members, service: h.service, trace: traceHeader(r), caller: r.Context()}
	if h.endWithCaller {
		return run(r.Context(), c)
	}
	return run(context.WithoutCancel(r.Context()), c)
}

func route(r *http.Request) (func(context.Context, *call) (any, error), error) {
	switch {
	case r.URL.Path != "/" && r.URL.Path != "":
		return nil, &Error{Code: UnknownOperationException, Message: "There is nothing at this path", status: http.StatusNotFound}
	case r.Method != http.MethodPost:
		return nil, &Error{Code: UnknownOperationException, Message: "The method must be POST", status: http.StatusMethodNotAllowed}
	}
	if !isAWSJSON(r.Header.Get("Content-Type")) {
		return nil, errorf(UnsupportedMediaTypeException, "The content type must be %s", contentType)
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if ok {
		if run := operations[name]; run != nil {
			return run, nil
		}
	}
	return nil, errorf(UnknownOperationException, "The operation is not known here")
}

// isAWSJSON recognizes what SDKs send without parsing it.
func isAWSJSON(header string) bool {
	if header == contentType {
		return true
	}
	media, _, err := mime.ParseMediaType(header)
	return err == nil && (media == contentType || media == "application/x-amz-json-1.1")
}

func read(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxRequest {
		return nil, requestTooLarge()
	}
	// Content-Length is untrusted: preallocate only when it is small.
	const little = 16 << 10
	if n := r.ContentLength; n > 0 && n <= little {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, errorf(SerializationException, "The body could not be read")
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return nil, errorf(SerializationException, "The body could not be read")
	}
	if len(body) > maxRequest {
		return nil, requestTooLarge()
	}
	return body, nil
}

func requestTooLarge() *Error {
	return errorf(RequestEntityTooLarge, "The request is larger than %d bytes", maxRequest)
}

// traceHeader returns the X-Ray header, if it would be valid as a member of the request:
// an invalid header must not make the request fail.
func traceHeader(r *http.Request) string {
	value := r.Header.Get("X-Amzn-Trace-Id")
	var c constraints
	c.traceHeader(&value)
	if len(c) > 0 {
		return ""
	}
	return value
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, id string, err error) {
	var e *Error
	if !errors.As(err, &e) {
		h.log.ErrorContext(r.Context(), "internal failure", "requestId", id, "err", err)
		e = errorf(InternalFailure, "The request could not be processed")
	}
	status := e.Status()
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	body, _ := json.Marshal(struct { // strings cannot fail
		Type    string `json:"__type"`
		Message string `json:"message"`
		Reason  string `json:"reason,omitempty"`
	}{e.Type(), e.Message, e.Reason})
	w.Header()[headerErrorType] = []string{string(e.Code)}
	if e.Code == RequestEntityTooLarge {
		// The rest of the body is not worth reading.
		w.Header().Set("Connection", "close")
	}
	write(w, status, body)
}

// write answers. The caller may have disconnected, so an error cannot be reported.
func write(w http.ResponseWriter, status int, body []byte) { _ = answerWith(w, status, body) }

func answerWith(w http.ResponseWriter, status int, body []byte) error {
	w.Header()["Content-Type"] = awsJSON
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// deliver answers, and reports whether the connection took the answer.
func deliver(w http.ResponseWriter, body []byte) error {
	if err := answerWith(w, http.StatusOK, body); err != nil {
		return err
	}
	if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
