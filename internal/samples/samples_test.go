package samples

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// Every provider has a sample, with an id and a name where its deliveries have them.
func TestEveryProviderHasASample(t *testing.T) {
	t.Parallel()
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		s, ok := Of(name)
		if !ok {
			t.Errorf("%s has no sample", name)
			continue
		}
		if !slices.Contains(p.ContentTypes, s.ContentType) && name != "braintree" { // whose payload is XML in a form
			t.Errorf("%s: its content type is %s", name, s.ContentType)
		}
		if _, err := url.ParseQuery(s.Body); s.ContentType == form && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.ContentType != form && name != "braintree" && !json.Valid([]byte(s.Body)) {
			t.Errorf("%s: the sample is not JSON", name)
		}
		if (s.Event != "") != (p.EventName.Header != "") {
			t.Errorf("%s: the event's name is %q, and the header %q", name, s.Event, p.EventName.Header)
		}
		h := http.Header{"Content-Type": {s.ContentType}}
		for what, place := range map[string]verify.Place{"delivery id": p.DeliveryID, "event name": p.EventName} {
			place.Header = ""
			in := place.Body
			if s.ContentType == form {
				in = place.Form
			}
			// Twilio names events of one product only; the App Store's id is in the token.
			if in != "" && place.Of(h, []byte(s.Body)) == "" && !slices.Contains([]string{"twilio", "sns", "mandrill", "slack"}, name) {
				t.Errorf("%s: the sample has no %s at %s", name, what, in)
			}
		}
	}
	for name := range bodies {
		if _, known := verify.Lookup(name); !known {
			t.Errorf("%s is a sample that no provider has", name)
		}
	}
}
