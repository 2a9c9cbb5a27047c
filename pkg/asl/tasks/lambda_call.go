package tasks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A lambdaStyle is a way in which a state names a function. Each has its own form of
// input, result and errors.
type lambdaStyle int

const (
	lambdaFunction lambdaStyle = iota // the function's own ARN
	lambdaInvoke                      // arn:aws:states:::lambda:invoke
	lambdaSDK                         // arn:aws:states:::aws-sdk:lambda:invoke
)

// A lambdaCall is the invocation that a Task state asks for.
type lambdaCall struct {
	style                                  lambdaStyle
	function, qualifier                    string
	invocationType, logType, clientContext string
	payload                                any // of the parameters
}

// newLambdaCall reads a task; the error is that of [None] if it does not invoke a
// function.
func newLambdaCall(t asl.Task) (*lambdaCall, error) {
	parts := strings.Split(t.Resource, ":")
	switch {
	case len(parts) >= 7 && parts[2] == "lambda" && parts[5] == "function":
		c := &lambdaCall{style: lambdaFunction, function: parts[6], payload: t.Parameters}
		c.qualifier = strings.Join(parts[7:], ":")
		return c, nil
	case isIntegration(t.Resource, "lambda:invoke"):
		return readLambdaCall(t, lambdaInvoke)
	case isIntegration(t.Resource, "aws-sdk:lambda:invoke"):
		return readLambdaCall(t, lambdaSDK)
	}
	_, err := None{}.RunTask(context.Background(), t)
	return nil, err
}

// invokesFunction reports whether a resource is a Lambda function, or invokes one.
func invokesFunction(resource string) bool {
	parts := strings.Split(resource, ":")
	return len(parts) >= 7 && parts[2] == "lambda" && parts[5] == "function" ||
		isIntegration(resource, "lambda:invoke") || isIntegration(resource, "aws-sdk:lambda:invoke")
}

func readLambdaCall(t asl.Task, style lambdaStyle) (*lambdaCall, error) {
	o, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
	text := func(field string) string {
		s := o.Text(field)
		return s
	}
	c := &lambdaCall{
		style: style, invocationType: text("InvocationType"), logType: text("LogType"),
		clientContext: text("ClientContext"), qualifier: text("Qualifier"),
	}
	c.payload, _ = o.Get("Payload")
	name := text("FunctionName")
	c.nameFunction(name)
	switch {
	case c.function == "":
		return nil, &asl.Error{Name: "States.Runtime", Cause: "The field 'FunctionName' is required but was missing"}
	case !functionNames.MatchString(name):
		return nil, c.invalidName(name)
	}
	return c, nil
}

// functionPattern is the pattern of FunctionName in the API.
const functionPattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`

var functionNames = regexp.MustCompile(`^` + functionPattern + `$`)

// invalidName returns the API's error for a text that does not name a function, such as
// the ARN of a state machine.
func (c *lambdaCall) invalidName(name string) *asl.Error {
	e := c.failed(http.StatusBadRequest, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at 'functionName' failed to satisfy "+
		"constraint: Member must satisfy regular expression pattern: %s", name, functionPattern), "")
	e.Name = c.unmodeled()
	return e
}

// unmodeled returns the name of an error for which the SDK has no class.
func (c *lambdaCall) unmodeled() string {
	if c.style == lambdaSDK {
		return "Lambda.LambdaException"
	}
	return "Lambda.AWSLambdaException"
}

// nameFunction reads a FunctionName: a name, a partial ARN or an ARN, each optionally
// followed by a version or an alias.
func (c *lambdaCall) nameFunction(name string) {
	if _, rest, ok := strings.Cut(name, ":function:"); ok {
		name = rest
	}
	name, qualifier, _ := strings.Cut(name, ":")
	c.function = name
	if c.qualifier == "" {
		c.qualifier = qualifier
	}
}

// body returns the payload as the function gets it. Text is sent unchanged, so it must be
// JSON; null means no payload, and the function gets {}.
func (c *lambdaCall) body() ([]byte, error) {
	payload := jsonata.Force(c.payload)
	if c.style == lambdaFunction {
		return jsonata.AppendJSON(nil, payload)
	}
	switch p := payload.(type) {
	case nil:
		return []byte("{}"), nil
	case string:
		if err := jsonata.Valid([]byte(p)); err != nil {
			return nil, c.failed(http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: "+err.Error(), "")
		}
		return []byte(p), nil
	}
	return jsonata.AppendJSON(nil, payload)
}

// value returns the payload as a value of pkg/jsonata.
func (c *lambdaCall) value() (any, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	return jsonata.Decode(body)
}

// A lambdaAnswer is what an invocation returned, apart from errors.
type lambdaAnswer struct {
	status int
	header http.Header
	names  []string // of the headers, in order
	value  any      // of the payload
	text   []byte   // the original payload; if empty, it is made from value
	empty  bool     // there is no payload, because the invocation was not waited for
}

func (a *lambdaAnswer) requestID() string {
	if id := a.header.Get("X-Amzn-Requestid"); id != "" {
		return id
	}
	return "local"
}

// result returns the integration's result for an answer.
func (c *lambdaCall) result(a lambdaAnswer) (any, error) {
	if c.style == lambdaFunction {
		return a.value, nil
	}
	o := jsonata.NewObject(6)
	version := a.header.Get("X-Amz-Executed-Version")
	if version == "" {
		version = "$LATEST"
	}
	o.Set("ExecutedVersion", version)
	if failed := a.header.Get("X-Amz-Function-Error"); failed != "" {
		o.Set("FunctionError", failed)
	}
	if log := a.header.Get("X-Amz-Log-Result"); log != "" {
		o.Set("LogResult", log)
	}
	switch {
	case a.empty:
	case c.style == lambdaInvoke:
		o.Set("Payload", a.value)
	default:
		text := a.text
		if text == nil {
			var err error
			if text, err = jsonata.AppendJSON(nil, jsonata.FromGo(a.value)); err != nil {
				return nil, err
			}
		}
		o.Set("Payload", string(text))
	}
	if c.style == lambdaInvoke {
		o.Set("SdkHttpMetadata", sdkMetadata(a.status, a.header, a.names))
		request := jsonata.NewObject(1)
		request.Set("RequestId", a.requestID())
		o.Set("SdkResponseMetadata", request)
	}
	o.Set("StatusCode", json.Number(strconv.Itoa(a.status)))
	return o, nil
}

// spellings are the header names that AWS spells differently from Go. Other names that a
// server writes in lower case get Go's spelling, which is also AWS's.
var spellings = map[string]string{
	"X-Amzn-Requestid":               "x-amzn-RequestId",
	"X-Amzn-Remapped-Content-Length": "x-amzn-Remapped-Content-Length",
	"X-Amz-Apigw-Id":                 "x-amz-apigw-id",
}

// sdkMetadata returns what the optimised integrations report about the HTTP response.
// names are the names of its headers in their original order; nil sorts them.
func sdkMetadata(status int, header http.Header, names []string) *jsonata.Object {
	if names == nil {
		names = slices.Sorted(maps.Keys(header))
	}
	lists, texts := jsonata.NewObject(len(names)), jsonata.NewObject(len(names))
	for _, name := range names {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if len(header[key]) == 0 {
			continue // one that net/http removed, such as Transfer-Encoding
		}
		values := make([]any, len(header[key]))
		for i, v := range header[key] {
			values[i] = v
		}
		spelling := cmp.Or(spellings[key], key)
		lists.Set(spelling, values)
		texts.Set(spelling, header.Get(key))
	}
	o := jsonata.NewObject(3)
	o.Set("AllHttpHeaders", lists)
	o.Set("HttpHeaders", texts)
	o.Set("HttpStatusCode", json.Number(strconv.Itoa(status)))
	return o
}

// failed returns an error of the service, in the spelling of the style: version 1 of the
// AWS SDK for Java writes causes differently from version 2.
func (c *lambdaCall) failed(status int, code, message, requestID string) *asl.Error {
	if requestID == "" {
		requestID = "local"
	}
	cause := fmt.Sprintf("%s (Service: AWSLambda; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", message, status, code, requestID)
	if c.style == lambdaSDK {
		cause = sdkCause(message, "Lambda", status, requestID)
	}
	return &asl.Error{Name: "Lambda." + code, Cause: cause}
}
