package verify_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestNewFetch checks the bounds of the Fetch for production.
func TestNewFetch(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("a", 256<<10))) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("a", 256<<10+1))) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat("a", 64<<10))); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/good", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(release)
	fetch := verify.NewFetch(nil)
	if document, err := fetch(t.Context(), server.URL+"/good"); err != nil || len(document) != 256<<10 {
		t.Errorf("fetch = %d bytes, %v, want 256 KiB", len(document), err)
	}
	closed := httptest.NewServer(mux)
	closed.Close()
	if _, err := fetch(t.Context(), closed.URL+"/?Token=hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("fetch from a closed port: %v, want an error without the query", err)
	}
	for _, path := range []string{"/large", "/endless", "/moved", "/nowhere", "/slow?Token=hunter2", " \x00"} {
		start := time.Now()
		document, err := fetch(t.Context(), server.URL+path)
		if err == nil {
			t.Errorf("fetch %s = %d bytes, want an error", path, len(document))
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the query: %v", err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("fetch %s took %v", path, took)
		}
	}
	// A certificate that no authority has signed.
	tls := httptest.NewUnstartedServer(mux)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusal is what is tested
	tls.StartTLS()
	defer tls.Close()
	if _, err := fetch(t.Context(), tls.URL+"/good"); err == nil {
		t.Error("an unknown certificate is accepted")
	}
	if _, err := verify.NewFetch(tls.Client().Transport)(t.Context(), tls.URL+"/good"); err != nil {
		t.Errorf("with the transport that knows it: %v", err)
	}
}
