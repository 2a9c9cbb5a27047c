package sqsbatch

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// fingerprint returns the part that repeated deliveries of the same message have in
// common: the body, without what the delivering service adds. A notification that is
// published twice has a different id, time and signature, and an event that an archive
// replays has the name of the replay.
func (r *record) fingerprint(route *config.Route) []byte {
	body := r.body()
	if route.SQS.Unwrap == config.UnwrapSNS {
		c := content{body: body}
		if c.unwrap(config.UnwrapSNS) == nil {
			body = c.body
		}
	}
	// Only decode what looks like an event.
	if !strings.Contains(body, `"detail-type"`) {
		return []byte(body)
	}
	v, err := jsonata.Decode([]byte(body))
	event, ok := v.(*jsonata.Object)
	if err != nil || !ok || event.Text("detail-type") == "" || event.Text("source") == "" {
		return []byte(body)
	}
	out, err := jsonata.AppendJSON(nil, event.Without("replay-name"))
	if err != nil {
		return []byte(body)
	}
	return out
}
