package httpfront

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The largest responses that reach the sender: Lambda's limit, and that of a load
// balancer. The margin is for the headers that are added to an answer (CORS).
const (
	maxResponse    = 6<<20 - 4<<10
	maxALBResponse = 1<<20 - 4<<10
)

// oversize explains that an answer is too large for its door, or returns "" if it fits.
// Beyond the limit, Lambda would turn the answer into a function error, and a load
// balancer into a bare 502.
func oversize(r *request, a *answer) string {
	limit := maxResponse
	if r.door == doorALB {
		limit = maxALBResponse
	}
	most := 6 * len(a.body) // as JSON text, and escaped throughout
	for name, values := range a.header {
		for _, v := range values {
			most += 6 * (len(name) + len(v) + 4)
		}
	}
	if most+512 <= limit {
		return ""
	}
	if size := len(encode(r, a)); size > limit {
		return fmt.Sprintf("the answer has %d bytes as JSON, but at most %d reach the sender", size, limit)
	}
	return ""
}

// encode writes an answer as the request's door understands it. The library's response
// writer does what a net/http handler's response needs: a content type for a body that
// has none, and base64 for one that is not text. Headers are read from the writer: the
// library joins repeated ones with commas, which Set-Cookie does not survive.
func encode(r *request, a *answer) []byte {
	w := core.NewProxyResponseWriterV2()
	write(w, a)
	out, err := w.GetProxyResponse()
	if err != nil {
		out.StatusCode = http.StatusInternalServerError
	}
	return format(r, out.StatusCode, w.Header(), out.Body, out.IsBase64Encoded)
}

// write sends an answer through net/http.
func write(w http.ResponseWriter, a *answer) {
	maps.Copy(w.Header(), a.header)
	if len(a.body) > 0 && a.header.Get("Content-Type") == "" {
		// The library would look at the first bytes, and label a text that begins like a
		// web page as HTML: scripts from a sender would then run in a browser.
		if sniffed := http.DetectContentType(a.body); strings.HasPrefix(sniffed, "text/html") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
	}
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // into memory
	}
}

// format writes the response in the format of the request's door.
func format(r *request, status int, header http.Header, body string, isBase64 bool) []byte {
	o := jsonata.NewObject(7)
	o.Set("statusCode", json.Number(strconv.Itoa(status)))
	names := slices.Sorted(maps.Keys(header))
	switch r.door {
	case doorREST, doorHTTPAPIV1:
		one, many := jsonata.NewObject(len(names)), jsonata.NewObject(1)
		for _, name := range names {
			if values := header[name]; len(values) == 1 {
				one.Set(name, values[0])
			} else {
				many.Set(name, list(values))
			}
		}
		o.Set("headers", one)
		if many.Len() > 0 {
			o.Set("multiValueHeaders", many)
		}
	case doorALB, doorLattice:
		o.Set("statusDescription", strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status)))
		headers := jsonata.NewObject(len(names))
		for _, name := range names {
			values := header[name]
			switch {
			case r.multiValue:
				headers.Set(name, list(values))
			case name == "Set-Cookie":
				// A target group without multi-value headers takes one value of each name.
				headers.Set(name, values[len(values)-1])
			default:
				headers.Set(name, strings.Join(values, ", "))
			}
		}
		if r.multiValue {
			o.Set("multiValueHeaders", headers)
		} else {
			o.Set("headers", headers)
		}
	default:
		headers := jsonata.NewObject(len(names))
		for _, name := range names {
			if name != "Set-Cookie" {
				headers.Set(name, strings.Join(header[name], ", "))
			}
		}
		o.Set("headers", headers)
		if cookies := header["Set-Cookie"]; len(cookies) > 0 {
			o.Set("cookies", list(cookies))
		}
	}
	o.Set("body", body)
	o.Set("isBase64Encoded", isBase64)
	out, _ := jsonata.AppendJSON(make([]byte, 0, len(body)+512), o) // texts, numbers and flags cannot fail
	return out
}

func list(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
