package providertest

import (
	"encoding/json"
	"os"
)

// A Judged group has requests to one route, with the verdicts of a provider's own library.
type Judged struct {
	Library, Provider, URL string
	Secrets, Versions      []string
	Cases                  []JudgedCase
}

// A JudgedCase is a request with its verdict.
type JudgedCase struct {
	// Path is empty for /hook.
	Name, Path, Query, Body string
	// BodyBase64 replaces Body if that cannot be JSON text.
	BodyBase64 []byte
	Headers    [][2]string
	// Accept is the library's verdict, and Differs says why ours is the opposite; it is
	// mostly empty.
	Accept  bool
	Differs string
}

// ReadJudged reads libraries.json of pkg/verify/testdata.
func ReadJudged(file string) (groups []Judged, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return groups, json.Unmarshal(text, &groups)
}
