package tasks_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/asl/tasks/awswire"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A drawnRequest is one line of testdata/drawn.py: arguments, and what botocore
// makes of them.
type drawnRequest struct {
	Action                string
	Arguments             json.RawMessage
	Method, Path, Signing string
	Query                 [][2]string
	Headers               map[string]string
	Body                  []byte
}

// Each action of each service sends what botocore sends for the same arguments: the
// method, the path, the query, the headers of the model, the body, and the name of the
// service in the signature.
func TestRequestsAreThoseOfBotocore(t *testing.T) {
	t.Parallel()
	n := 0
	for line := range bytes.Lines(drawn(t, "requests")) {
		var want drawnRequest
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		n++
		compareRequest(t, want)
	}
	if n < 5000 {
		t.Errorf("%d requests, want two of each of more than 2500 actions", n)
	}
	t.Logf("%d requests", n)
}

// Each action of each service returns what botocore reads from the same answer, with the
// names and the values of Step Functions.
func TestAnswersAreThoseOfBotocore(t *testing.T) {
	t.Parallel()
	n, unread := 0, 0
	for line := range bytes.Lines(drawn(t, "answers")) {
		var a struct {
			Action, Unread string
			Status         int
			Headers        map[string]string
			Body           []byte
			Result         any
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		if a.Unread != "" {
			unread++
			continue
		}
		n++
		service, action, _ := strings.Cut(a.Action, ":")
		s, ok := awsmodel.Lookup(service)
		operation, found := s.Operation(action)
		if !ok || !found {
			t.Errorf("%s is not in the table", a.Action)
			continue
		}
		header := http.Header{}
		for name, v := range a.Headers {
			header.Set(name, v)
		}
		got, err := awswire.Decode(operation, &http.Response{StatusCode: a.Status, Header: header}, a.Body)
		if err != nil {
			t.Errorf("%s: got the error %v for the body %s", a.Action, err, a.Body)
			continue
		}
		text, err := jsonata.AppendJSON(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.Result, readBody(t, text)); diff != "" {
			t.Errorf("%s %v %s (-drawn +here):\n%s", a.Action, a.Headers, a.Body, diff)
		}
	}
	if n < 4400 || unread > 100 {
		t.Errorf("%d answers were read, and %d were not, want 4400 and 100", n, unread)
	}
	t.Logf("%d answers, and %d that moto and botocore write and read in two ways", n, unread)
}

// drawn returns the output of testdata/drawn.py for all services.
func drawn(t *testing.T, what string) []byte {
	t.Helper()
	python := shared.Program(t, "EXPRESSWAY_PYTHON")
	files, err := filepath.Glob("../awsmodel/services/*.txt")
	if err != nil || len(files) < 29 {
		t.Fatalf("found the models of %d services, %v, want at least 29", len(files), err)
	}
	args := []string{"testdata/drawn.py", what, "1", "2"}
	for _, file := range files {
		args = append(args, strings.TrimSuffix(filepath.Base(file), ".txt"))
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	return out
}

// A sender keeps the request, and returns an empty answer.
type sender struct {
	request *http.Request
	body    []byte
}

func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	s.request = r
	s.body, _ = io.ReadAll(r.Body)
	return nil, errors.New("not sent")
}

func compareRequest(t *testing.T, want drawnRequest) {
	t.Helper()
	sent := &sender{}
	r := at("http://127.0.0.1:1")
	r.Client = &http.Client{Transport: sent}
	r.NewToken = func() string { return madeUp }
	_, err := runTask(t.Context(), t, r, "aws-sdk:"+want.Action, string(want.Arguments))
	if sent.request == nil {
		e, _ := errors.AsType[*asl.Error](err)
		t.Errorf("%s %s was not sent: %v", want.Action, want.Arguments, e)
		return
	}
	_, scope, _ := strings.Cut(sent.request.Header.Get("Authorization"), "/us-east-1/")
	signing, _, _ := strings.Cut(scope, "/")
	query := [][2]string{}
	for name, values := range sent.request.URL.Query() {
		for _, v := range values {
			query = append(query, [2]string{name, v})
		}
	}
	got := drawnRequest{Method: sent.request.Method, Path: sent.request.URL.EscapedPath(), Signing: signing, Query: query, Headers: map[string]string{}}
	for name := range sent.request.Header {
		got.Headers[strings.ToLower(name)] = strings.Join(sent.request.Header[name], ",")
	}
	if want.Headers["authorization"] == "" {
		want.Signing = got.Signing // not needed, and emulators find the service by it
	}
	if want.Headers["content-type"] == "" && got.Headers["content-type"] == "application/xml" {
		delete(got.Headers, "content-type") // which botocore leaves out
	}
	for _, r := range []*drawnRequest{&got, &want} {
		slices.SortFunc(r.Query, func(a, b [2]string) int { return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1]) })
		maps.DeleteFunc(r.Headers, ofTransport)
	}
	sameToken(&want)
	gotBody, wantBody := readBody(t, sent.body), readBody(t, want.Body)
	arguments, action := want.Arguments, want.Action
	want.Arguments, want.Action, want.Body = nil, "", nil
	if diff := cmp.Diff(want, got) + cmp.Diff(wantBody, gotBody); diff != "" {
		t.Errorf("%s %s (-botocore +here):\n%s", action, arguments, diff)
	}
}

// madeUp replaces idempotency tokens, which both sides generate.
const madeUp = "00000000-0000-4000-8000-000000000000"

var tokens = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

func sameToken(r *drawnRequest) {
	r.Body = tokens.ReplaceAll(r.Body, []byte(madeUp))
	for i := range r.Query {
		r.Query[i][1] = tokens.ReplaceAllString(r.Query[i][1], madeUp)
	}
	for name, v := range r.Headers {
		r.Headers[name] = tokens.ReplaceAllString(v, madeUp)
	}
}

// ofTransport reports whether a header is independent of the operation, or one that each
// SDK adds in its own way.
func ofTransport(name, _ string) bool {
	return slices.Contains([]string{"user-agent", "authorization", "content-length", "expect", "host", "accept"}, name) ||
		strings.HasPrefix(name, "amz-sdk-") || slices.Contains([]string{"x-amz-date", "x-amz-content-sha256", "x-amz-api-version", "content-md5"}, name) ||
		strings.HasPrefix(name, "x-amz-checksum-") || strings.HasPrefix(name, "x-amz-sdk-checksum")
}

// readBody returns a body in a form in which equal ones are equal: JSON as values, XML as
// a tree, a form as its fields, and other text as it is.
func readBody(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	switch {
	case len(body) == 0:
		return ""
	case json.Unmarshal(body, &v) == nil:
		return v
	case body[0] == '<':
		if tree, err := xmlTree(body); err == nil {
			return tree
		}
	case bytes.HasPrefix(body, []byte("Action=")) || bytes.Contains(body, []byte("&Action=")):
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		return form
	}
	return string(body)
}

func xmlTree(body []byte) (string, error) {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			fmt.Fprintf(&b, "<%s", token.Name.Local)
			for _, a := range token.Attr {
				if a.Name.Local != "xmlns" || a.Name.Space != "" {
					fmt.Fprintf(&b, " %s=%q", a.Name.Local, a.Value)
				}
			}
			b.WriteString(">\n")
		case xml.EndElement:
			b.WriteString("</>\n")
		case xml.CharData:
			fmt.Fprintf(&b, "%q\n", token)
		}
	}
}
