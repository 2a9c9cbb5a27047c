package httpfront

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unsafe"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A door is one of the platform's ways to deliver an HTTP request to a function.
type door string

// The doors, and the members that identify the event of each; events are never
// decoded as each kind in turn.
const (
	doorREST        door = "rest"         // httpMethod, and requestContext without elb
	doorHTTPAPI     door = "http-api"     // version 2.0, requestContext.http
	doorHTTPAPIV1   door = "http-api-1.0" // as REST, and version 1.0
	doorFunctionURL door = "function-url" // as HTTPAPI, on a lambda-url domain
	doorALB         door = "alb"          // requestContext.elb
	doorLattice     door = "vpc-lattice"  // raw_path, or requestContext.serviceNetworkArn
)

// A request is the common form of every door's event.
type request struct {
	door       door
	multiValue bool // ALB: the target group has multi-value headers enabled
	method     string
	path       string // percent-encoded, without the stage and a base path
	shownPath  string // as delivered, without the stage and a base path
	called     string // percent-encoded, as the sender called it
	rawQuery   string
	header     http.Header
	body       []byte
	host       string
	sourceIP   string
	requestID  string
	stage      string
	authorizer any
	clientCert *verify.ClientCert // verified by API Gateway

	redacted string  // a secret that the default input leaves out
	verified bool    // until then, the body is not read
	content  content // the parsed body, once it has been asked for
}

// isRedacted reports whether a value is the secret that the default input leaves out.
func (r *request) isRedacted(value string) bool { return r.redacted != "" && value == r.redacted }

// A foreignError is the error of an event that no door delivers. Its sender is a service
// that would treat any answer as success and drop the data, so the function fails.
type foreignError struct{ reason string }

func (e *foreignError) Error() string { return e.reason }

// A malformedError describes a fault of a request whose door is known.
type malformedError string

func (e malformedError) Error() string { return string(e) }

// errBadBody is the error of a body that is not base64 although it is marked as base64.
const errBadBody malformedError = "the body is marked as base64 but is not base64"

// decodeEvent reads the event of any door. The error is a *foreignError, or a
// malformedError together with the request, which can then be answered.
func decodeEvent(payload []byte) (*request, error) {
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, &foreignError{"the event is not JSON: " + err.Error()}
	}
	event, ok := v.(*jsonata.Object)
	if !ok {
		return nil, &foreignError{eventkind.Of(v).String()}
	}
	context := event.Object("requestContext")
	r := &request{door: detect(event, context)}
	switch r.door {
	case doorHTTPAPI, doorFunctionURL:
		r.readV2(event, context)
	case doorREST, doorHTTPAPIV1:
		r.readV1(event, context)
	case doorALB:
		r.readALB(event)
	case doorLattice:
		r.readLattice(event, context)
	default:
		return nil, &foreignError{eventkind.Of(v).String()}
	}
	return r, r.readBody(event)
}

// detect returns the event's door, or "" if no door made the event.
func detect(event, context *jsonata.Object) door {
	switch {
	case eventkind.Of(event) != eventkind.Request:
		return ""
	case event.Has("raw_path"), context.Has("serviceNetworkArn"):
		return doorLattice
	case context.Object("elb") != nil:
		return doorALB
	case context.Object("http") != nil && event.Has("rawPath"):
		if strings.Contains(context.Text("domainName"), ".lambda-url.") {
			return doorFunctionURL
		}
		return doorHTTPAPI
	case scalar(event.Value("version")) == "1.0":
		return doorHTTPAPIV1
	}
	return doorREST
}

// readBody decodes the body by its flag, never by its content type: API Gateway
// sends forms, and bodies without a content type, as base64.
func (r *request) readBody(event *jsonata.Object) error {
	v, _ := event.Get("body")
	body, ok := v.(string)
	if !ok && v != nil {
		return malformedError("the event's body is not a string")
	}
	flag, _ := event.Get("isBase64Encoded")
	if r.door == doorLattice && !event.Has("isBase64Encoded") {
		flag, _ = event.Get("is_base64_encoded")
	}
	if flag != true {
		// The text was made for this event, and nothing changes a body: a copy of a large one
		// would be a third of the memory that its event takes.
		r.body = unsafe.Slice(unsafe.StringData(body), len(body)) // #nosec G103
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return errBadBody
	}
	r.body = decoded
	return nil
}
