package httpfront

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// maxStored bounds the size of a stored answer, because an item in DynamoDB can hold 400
// KB. A larger answer is stored without its body.
const maxStored = 320 << 10

// final reports whether an answer ends a delivery for good. Senders retry after a server
// error, and if the answer asks them to. Every other answer, including a refusal, is
// repeated to a duplicate without another execution.
func final(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

// open reports whether a failure leaves a delivery open, whatever status it is answered
// with: the item may still appear, and anybody may have sent a bad token.
func open(f *bridge.Failure) bool {
	return f != nil && (f.Name == bridge.TaskUnknown || f.Name == bridge.BadToken)
}

// A stored answer is one that a dedupe store keeps.
type stored struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header,omitempty"`
	Text   string              `json:"text,omitempty"`
	Base64 string              `json:"base64,omitempty"`
}

// store encodes the answer for a dedupe store.
func (a *answer) store() []byte {
	s := stored{Status: a.status, Header: a.header}
	if utf8.Valid(a.body) {
		s.Text = string(a.body)
	} else {
		s.Base64 = base64.StdEncoding.EncodeToString(a.body)
	}
	text, _ := json.Marshal(s) // numbers and text cannot fail
	if len(text) > maxStored {
		s.Text, s.Base64 = "", ""
		text, _ = json.Marshal(s)
	}
	return text
}

// replay returns the stored answer of a delivery that was answered before, or an empty
// 200 if the store could not keep the answer.
func replay(text []byte) (*answer, *bridge.Failure) {
	var s stored
	if string(text) == "null" { // the store could not keep the answer
		s.Status = http.StatusOK
	} else if err := json.Unmarshal(text, &s); err != nil || s.Status < 200 || s.Status > 599 {
		return nil, bridge.NewFailure(bridge.Internal, "the stored answer cannot be read", err)
	}
	a := &answer{status: s.Status, header: s.Header, body: []byte(s.Text)}
	if a.header == nil {
		a.header = http.Header{}
	}
	if s.Base64 != "" {
		body, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil {
			return nil, bridge.NewFailure(bridge.Internal, "the stored answer cannot be read", err)
		}
		a.body = body
	}
	a.header.Set("Idempotent-Replayed", "true")
	return a, nil
}
