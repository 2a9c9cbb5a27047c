package trace

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// DaemonName is the environment variable in which Lambda gives the X-Ray daemon's
// address.
const DaemonName = "AWS_XRAY_DAEMON_ADDRESS"

// dialLimit bounds the resolution of the daemon's address, if it is a host name.
const dialLimit = 200 * time.Millisecond

// DaemonAddress returns the address for datagrams in the text of AWS_XRAY_DAEMON_ADDRESS:
// host:port, or "tcp:host:port udp:host:port" in either order. It is empty if there is
// none.
//
// [Forms]: https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-go-configuration.html#xray-sdk-go-configuration-envvars
func DaemonAddress(text string) string {
	fields := strings.Fields(text)
	for _, f := range fields {
		if address, ok := strings.CutPrefix(f, "udp:"); ok {
			return address
		}
	}
	if len(fields) != 1 || strings.HasPrefix(fields[0], "tcp:") {
		return ""
	}
	return fields[0]
}

// A Recorder sends subsegments to the X-Ray daemon, each as one datagram. A nil Recorder
// records nothing. If there is no daemon, a Recorder silently records nothing. It is safe
// for concurrent use.
type Recorder struct {
	now  func() time.Time
	rand func() uint64
	dial func() net.Conn
}

// RecorderOptions configure a [Recorder].
type RecorderOptions struct {
	// Address is the daemon's, as [DaemonAddress] returns it; if it is empty, there is no
	// Recorder.
	Address string
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Rand makes ids of subsegments; nil is math/rand.
	Rand func() uint64
}

// NewRecorder returns a Recorder, or nil if there is no address. It sends nothing,
// and looks for the daemon when there is something to send.
func NewRecorder(o RecorderOptions) *Recorder {
	if o.Address == "" {
		return nil
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	return &Recorder{now: o.Now, rand: o.Rand, dial: sync.OnceValue(func() net.Conn {
		conn, err := (&net.Dialer{Timeout: dialLimit}).Dial("udp", o.Address)
		if err != nil {
			return nil
		}
		return conn
	})}
}

// Begin opens a subsegment below the header's parent, and returns the header with the
// subsegment as its parent. Without a recorder, a parent, or the decision to sample,
// the subsegment is nil, and the header is returned unchanged.
func (r *Recorder) Begin(h Header) (*Subsegment, Header) {
	if r == nil || !h.Sampled() || h.parent == "" {
		return nil, h
	}
	s := &Subsegment{recorder: r, id: r.newID(), trace: h.root, parent: h.parent, start: r.now()}
	return s, h.WithParent(s.id)
}

// newID returns 16 hexadecimal digits that are not all zero.
func (r *Recorder) newID() string {
	n := r.rand()
	for n == 0 {
		n = r.rand()
	}
	return fmt.Sprintf("%016x", n)
}

// Close closes the socket, if one was opened.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	if conn := r.dial(); conn != nil {
		_ = conn.Close()
	}
}

// A Subsegment is a call of an AWS service that is in progress. Its methods do nothing if
// it is nil.
type Subsegment struct {
	recorder          *Recorder
	id, trace, parent string
	start             time.Time
}

// A Call describes a call in a subsegment. Empty fields are left out.
type Call struct {
	// Service is the name that X-Ray shows: SFN, as in the SDKs.
	Service, Operation, Region string
	// RequestID and Status are those of the last answer; Retries counts the calls before
	// it.
	RequestID string
	Status    int
	Retries   int
	// Error means that the caller is at fault, Throttle that it called too often, and
	// Fault that the service, or what it ran, failed.
	Error, Throttle, Fault bool
	// Annotations can be searched for, Metadata cannot. A trace holds 50 annotations.
	Annotations, Metadata map[string]string
}

// segment is the document of a subsegment that is sent on its own.
//
// [Segment documents]: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
type segment struct {
	Name        string                       `json:"name"`
	ID          string                       `json:"id"`
	TraceID     string                       `json:"trace_id"`
	ParentID    string                       `json:"parent_id"`
	Type        string                       `json:"type"`
	StartTime   float64                      `json:"start_time"`
	EndTime     float64                      `json:"end_time"`
	Namespace   string                       `json:"namespace"`
	AWS         segmentAWS                   `json:"aws"`
	HTTP        *segmentHTTP                 `json:"http,omitempty"`
	Error       bool                         `json:"error,omitempty"`
	Throttle    bool                         `json:"throttle,omitempty"`
	Fault       bool                         `json:"fault,omitempty"`
	Annotations map[string]string            `json:"annotations,omitempty"`
	Metadata    map[string]map[string]string `json:"metadata,omitempty"`
}

type segmentAWS struct {
	Operation string `json:"operation"`
	Region    string `json:"region,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Retries   int    `json:"retries,omitempty"`
}

type segmentHTTP struct {
	Response struct {
		Status int `json:"status"`
	} `json:"response"`
}

// preamble precedes each document that is sent to the daemon.
const preamble = `{"format":"json","version":1}` + "\n"

// End closes the subsegment and sends it.
func (s *Subsegment) End(c Call) {
	if s == nil {
		return
	}
	doc := segment{
		Name: c.Service, ID: s.id, TraceID: s.trace, ParentID: s.parent, Type: "subsegment",
		StartTime: seconds(s.start), EndTime: seconds(s.recorder.now()), Namespace: "aws",
		AWS:   segmentAWS{Operation: c.Operation, Region: c.Region, RequestID: c.RequestID, Retries: c.Retries},
		Error: c.Error, Throttle: c.Throttle, Fault: c.Fault, Annotations: c.Annotations,
	}
	if c.Status != 0 {
		doc.HTTP = &segmentHTTP{}
		doc.HTTP.Response.Status = c.Status
	}
	if len(c.Metadata) > 0 {
		doc.Metadata = map[string]map[string]string{"expressway": c.Metadata}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return // texts and numbers cannot fail
	}
	if conn := s.recorder.dial(); conn != nil {
		// If there is no daemon, the next write returns an error.
		_, _ = conn.Write(append([]byte(preamble), text...))
	}
}

// seconds converts a time to the format of segments, with microseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
