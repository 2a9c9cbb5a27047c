package redrive

import (
	"testing"
)

// Whatever a letter and a journal hold, they are read or refused.
func FuzzLetter(f *testing.F) {
	f.Add(`{"requestContext":{"functionArn":"arn:aws:lambda:x:y:function:z"},"requestPayload":[]}`, "arn:aws:events:x:y:rule/b/n", "ErrorName", "arn:aws:sqs:r:a:q")
	f.Add(`[{"source":"a","detail-type":"b"}]`, "", "Expressway", "")
	f.Fuzz(func(t *testing.T, body, rule, name, source string) {
		l := &Letter{ID: "l", Body: body, Attributes: attributes(attrRule, rule, attrTarget, source, name, body, "Route", rule), System: map[string]string{sourceARN: source, sentTimestamp: rule}}
		for _, o := range []Options{{}, {To: source}, {ToBus: true}, {EventFunction: "f"}} {
			c := read(l)
			p, err := o.pack(l, &c)
			if err == nil && p.Message == nil && p.Event == nil {
				t.Error("a parcel with nothing in it")
			}
		}
		_ = l.sent()
		w := newWorld(t, 1)
		w.disk = []byte(body + "\n")
		_, _, _ = openJournal(w, "q", w.now)
	})
}
