package verify

import (
	"slices"
	"strings"
	"time"
)

// An Ack is the answer that acknowledges a delivery whose workflow goes on. The
// zero value means that the provider asks for none in particular.
type Ack struct {
	Status      int
	ContentType string
	Body        string
}

// A Preset is what is known of a provider. It is data, and a
// copy: changing it changes nothing.
type Preset struct {
	// Name is the provider's.
	Name string
	// HMAC are the parameters where the scheme is an HMAC of them, else nil.
	HMAC *HMAC
	// Public are the parameters where the provider signs with a private key, else nil.
	Public *KeySignature
	// JWT are the parameters where the provider sends a token with claims, else nil.
	JWT *JWT
	// Token is where the token is, of a provider that sends one along.
	Token *TokenPlace
	// OtherHeader carries the signature where HMAC.Header is not there.
	OtherHeader string
	// Numbered is how many headers may carry a signature, whose names end in 1, 2, 3 and on.
	Numbered int
	// Tolerance is how far a signed time may be off, either way; zero when the
	// provider signs no time.
	Tolerance time.Duration
	// Retries are the provider's further attempts, which Tolerance has to cover.
	Retries Retries
	// ContentTypes are the media types that the provider sends; application/json stands
	// for every type of JSON. Others are refused, for the header is not signed.
	ContentTypes []string
	// JSONText says that what the provider calls text is JSON.
	JSONText bool
	// Versions are the kinds of signatures that a Spec may list.
	Versions []string
	// DeliveryID is the same for every attempt at one delivery.
	DeliveryID Place
	// EventName says what happened.
	EventName Place
	// SignedAt is a time in milliseconds in the body, and so signed, for schemes whose
	// HMAC has none. Where it is there, it must be within Tolerance.
	SignedAt Place
	// Deadline is how long the provider waits, less a margin for the way back.
	Deadline time.Duration
	// Ack is the provider's own acknowledgement.
	Ack Ack
	// Experimental says that what is signed was established from third parties or from
	// memory, and not from the provider's own pages, vectors or library.
	Experimental bool
	// EmptyRefusal says that a refusal must have no body.
	EmptyRefusal bool
	// Handshake is how the provider asks for consent; nil when it does not.
	Handshake *Handshake

	urlClaim        string // of JWT: has the digest of the URL
	publicKeys      bool   // of JWT: the Spec's secrets are public keys
	scheme          *scheme
	defaultVersions []string
	takes           []string // keys of a Spec that stand beside some providers only
	needs           []string // the same, where the Spec must have them
}

// Retries are what is known of the further attempts at one delivery.
type Retries struct {
	// Schedule is in words; empty where it is not established.
	Schedule string
	// Span is from the first attempt to the last; 0 where there are none, or where it is
	// not established.
	Span time.Duration
	// Signed says which signature the further attempts carry, where a time is signed.
	Signed Resend
}

// A Resend is which signature a further attempt at a delivery carries.
type Resend string

// The ways to send again. Where it is not known, a preset's tolerance covers the
// provider's schedule as if the same bytes came again.
const (
	ResendUnknown Resend = ""     // nobody documents it
	ResendAnew    Resend = "anew" // each attempt has its own time and signature
	ResendSame    Resend = "same" // the same bytes come again
)

// Providers are the names of all presets, sorted.
func Providers() []string {
	names := make([]string, len(presets))
	for i := range presets {
		names[i] = presets[i].Name
	}
	return names
}

// Lookup is the preset of a provider.
func Lookup(name string) (Preset, bool) {
	i, ok := slices.BinarySearchFunc(presets, name, func(p Preset, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return Preset{}, false
	}
	p := presets[i]
	p.ContentTypes, p.Versions = slices.Clone(p.ContentTypes), slices.Clone(p.Versions)
	if p.HMAC != nil {
		h := *p.HMAC
		if h.Timestamp != nil {
			ts := *h.Timestamp
			h.Timestamp = &ts
		}
		p.HMAC = &h
	}
	return p, true
}

// takenBy are the providers beside which a key of a Spec stands.
func takenBy(key string) []string {
	var names []string
	for i := range presets {
		if slices.Contains(presets[i].takes, key) || slices.Contains(presets[i].needs, key) {
			names = append(names, presets[i].Name)
		}
	}
	return names
}
