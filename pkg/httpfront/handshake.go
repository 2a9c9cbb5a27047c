package httpfront

import "net/http"

// unsigned answers what is asked before anything can be signed: a browser's preflight
// (and soon providers' handshakes). A nil answer means that nothing of the kind was asked.
func (f *Front) unsigned(hr *http.Request) (*endpoint, *answer) {
	if isPreflight(hr) {
		if e := f.matchAs(hr, hr.Header.Get("Access-Control-Request-Method")); e != nil && e.cors != nil {
			return e, e.cors.preflight(hr)
		}
	}
	return nil, nil
}
