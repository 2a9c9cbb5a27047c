package dedupe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Whatever record a table answers with, a refused claim is never granted, and an answer
// that is kept is one that was there.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"status":{"S":"COMPLETED"},"data":{"S":"{}"},"validation":{"S":"f"}}`, `{"status":{"S":"INPROGRESS"},"in_progress_expiration":{"N":"1800000000000"}}`,
		`{"status":{"S":"INPROGRESS"},"expiration":{"N":"1800000000"}}`, `{"status":{"S":"INPROGRESS"},"in_progress_expiration":{"N":"1e99"}}`,
		`{"status":{"S":"COMPLETED"},"data":{"M":{"a":{"S":"b"}}}}`, `{}`, `null`, `[]`, `{"status":{"S":null}}`, `{"status":7}`,
	} {
		f.Add(seed)
	}
	var item atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":`+item.Load().(string)+`}`)(w, r)
	}))
	f.Cleanup(server.Close)
	now := newClock()
	store := newDynamoDB(f, endpoint(server.URL), now.now)
	f.Fuzz(func(t *testing.T, text string) {
		item.Store(text)
		r, err := store.Claim(t.Context(), newClaim(now, "k", "f"))
		switch {
		case err != nil:
		case r.State == bridge.Held && !r.Until.IsZero():
		case r.State == bridge.Completed && len(r.Answer) > 0:
		default:
			t.Fatalf("record %q: %+v", text, r)
		}
	})
}
