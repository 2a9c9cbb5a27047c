package devserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/httpfront"
)

// invocationTime is the time for a request's invocation: as long as API Gateway waits.
const invocationTime = 29 * time.Second

// A functionURL turns HTTP requests into events and responses back, as a Function URL does.
type functionURL struct {
	handler lambda.Handler
	account string
	region  string
	titled  bool // a recorder wants to know what a request is called
	newID   func() string
	now     func() time.Time
}

func (u *functionURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, httpfront.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	id := u.newID()
	payload, err := json.Marshal(u.event(r, body, id))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	ctx, cancel := Invocation(r.Context(), u.region, u.account, id, invocationTime)
	defer cancel()
	if u.titled {
		ctx = console.WithTitle(ctx, r.Method+" "+r.URL.EscapedPath())
	}
	out, err := u.handler.Invoke(ctx, payload)
	var response events.LambdaFunctionURLResponse
	if err != nil || json.Unmarshal(out, &response) != nil {
		refuse(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	writeResponse(w, &response)
}

// refuse answers as the platform does without calling a function: in JSON.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message":"`+message+`"}`)
}

func (u *functionURL) event(r *http.Request, body []byte, id string) events.LambdaFunctionURLRequest {
	headers := make(map[string]string, len(r.Header)+2)
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	headers["host"] = r.Host
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	now := u.now()
	e := events.LambdaFunctionURLRequest{
		Version:        "2.0",
		RawPath:        r.URL.EscapedPath(),
		RawQueryString: r.URL.RawQuery,
		Headers:        headers,
		RequestContext: events.LambdaFunctionURLRequestContext{
			AccountID:  "anonymous",
			RequestID:  id,
			APIID:      "local",
			DomainName: "local.lambda-url." + u.region + ".on.aws",
			Time:       now.UTC().Format("02/Jan/2006:15:04:05 +0000"),
			TimeEpoch:  now.UnixMilli(),
			HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: host, UserAgent: r.UserAgent(),
			},
		},
		Body: string(body),
	}
	for _, c := range r.Cookies() {
		e.Cookies = append(e.Cookies, c.Name+"="+c.Value)
	}
	// As on AWS, only what is known to be text is passed as text.
	if !textual(r.Header.Get("Content-Type")) || !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

func textual(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") ||
		strings.HasSuffix(media, "xml") || strings.HasSuffix(media, "javascript")
}

func writeResponse(w http.ResponseWriter, response *events.LambdaFunctionURLResponse) {
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil {
			refuse(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
		body = decoded
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	for _, cookie := range response.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body)
}

// Invocation returns a context like the one that aws-lambda-go passes to a handler, for a
// function in that region and account.
func Invocation(ctx context.Context, region, account, requestID string, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID:       requestID,
		InvokedFunctionArn: "arn:aws:lambda:" + region + ":" + account + ":function:local",
	})
	return context.WithTimeout(ctx, limit)
}
