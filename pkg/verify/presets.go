package verify

import (
	"time"
)

// The deadlines: what the provider allows, minus half a second to a second.
const (
	within3s  = 2500 * time.Millisecond
	within5s  = 4500 * time.Millisecond
	within10s = 9 * time.Second
	within15s = 14 * time.Second
	usual     = 10 * time.Second // if nothing is published
)

// The media types that providers send.
var (
	jsonOnly   = []string{"application/json"}
	jsonOrForm = []string{"application/json", "application/x-www-form-urlencoded"}
	jsonOrText = []string{"application/json", "text/plain"}
	formOnly   = []string{"application/x-www-form-urlencoded"}
)

var (
	empty200 = Ack{Status: 200}
	never    = Retries{Schedule: "none"}
)

// body256 describes an HMAC-SHA256 of the body.
func body256(header, encoding, prefix string) *HMAC {
	return &HMAC{Header: header, Encoding: encoding, Prefix: prefix}
}

// unsigned is the place of a header that a signature over the body does not cover.
func unsigned(header string) Place { return Place{Header: header, Unsigned: true} }

// unsignedBody is the place of a body member that is not signed.
func unsignedBody(path string) Place { return Place{Body: path, Unsigned: true} }

// presets are the rows of the providers, in the order of their names and cut by the first
// letter. The documentation of each provider's signatures is linked at its scheme, or at
// the row if the scheme is only parameters.
var presets = [][]Preset{presetsAtoF, presetsGtoP, presetsQtoZ}
