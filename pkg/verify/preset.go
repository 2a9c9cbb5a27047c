package verify

import (
	"slices"
	"time"
)

// An Ack is the answer that acknowledges a delivery whose workflow continues. The zero
// value means that the provider does not require a particular one.
type Ack struct {
	Status      int
	ContentType string
	Body        string
}

// A Preset holds what is known about a provider. It is a copy: changing it has no effect.
type Preset struct {
	// Name is the provider's name.
	Name string
	// HMAC holds the parameters if the scheme is a plain HMAC; otherwise it is nil.
	HMAC *HMAC
	// Public holds the parameters if the provider signs with a private key; otherwise it
	// is nil.
	Public *KeySignature
	// JWT holds the parameters if the provider sends a token with claims; otherwise it is
	// nil.
	JWT *JWT
	// Token says where the token is, if the provider sends a static one.
	Token *TokenPlace
	// OtherHeader carries the signature if HMAC.Header is missing.
	OtherHeader string
	// Numbered is the number of headers that may carry a signature; their names end in 1,
	// 2, 3 and so on.
	Numbered int
	// Tolerance is how far a signed time may be off, either way; zero if the provider
	// signs no time.
	Tolerance time.Duration
	// Retries are the provider's further attempts, which Tolerance has to cover.
	Retries Retries
	// ContentTypes are the media types that the provider sends; application/json stands
	// for every type of JSON. Others are refused, because the header is not signed.
	ContentTypes []string
	// JSONText is set if the provider sends JSON labelled as text.
	JSONText bool
	// Versions are the kinds of signatures that a Spec may list.
	Versions []string
	// DeliveryID is the same for every attempt at one delivery.
	DeliveryID Place
	// EventName is the place of the event's name.
	EventName Place
	// SignedAt is a time in milliseconds in the body, and so signed, for schemes whose
	// HMAC has none. If it is present, it must be within Tolerance.
	SignedAt Place
	// Deadline is how long the provider waits, minus a margin for the transfer of the
	// answer.
	Deadline time.Duration
	// Ack is the provider's own acknowledgement.
	Ack Ack
	// Experimental is set if what is signed is known from third parties or from memory, and
	// not from the provider's own pages, vectors or library.
	Experimental bool
	// RemembersIDs means that the signature protects too little of the body: a route must
	// have dedupe, by DeliveryID and for at least Tolerance.
	RemembersIDs bool
	// EmptyRefusal means that a refusal must have no body.
	EmptyRefusal bool
	// Handshake is how the provider asks for consent; nil if it does not.
	Handshake *Handshake

	urlClaim        string // with JWT: the claim with the digest of the URL
	publicKeys      bool   // with JWT: the Spec's secrets are public keys
	scheme          *scheme
	defaultVersions []string
	takes           []string // keys of a Spec that only some providers allow
	needs           []string // the same, if the Spec must have them
}

// Retries describe the further attempts at one delivery.
type Retries struct {
	// Schedule is in words; it is empty if it is not known.
	Schedule string
	// Span is the time from the first attempt to the last; 0 if there are no retries, or
	// if it is not known.
	Span time.Duration
	// Signed says which signature the further attempts carry, if a time is signed.
	Signed Resend
}

// A Resend says which signature a further attempt at a delivery carries.
type Resend string

// The ways to send again. If the way is not known, a preset's tolerance covers the
// provider's schedule as if the same bytes were sent again.
const (
	ResendUnknown Resend = ""     // not documented
	ResendAnew    Resend = "new"  // each attempt has its own time and signature
	ResendSame    Resend = "same" // the same bytes are sent again
)

// Providers returns the names of all presets, sorted.
func Providers() []string {
	var names []string
	for _, rows := range presets {
		for i := range rows {
			names = append(names, rows[i].Name)
		}
	}
	return names
}

// Lookup returns the preset of a provider.
func Lookup(name string) (Preset, bool) {
	p, ok := presetOf(name)
	if !ok {
		return Preset{}, false
	}
	return p.clone(), true
}

// noPreset is that of a Spec without a provider.
var noPreset Preset

// presetOf returns the preset of a provider in the table, which is never changed.
func presetOf(name string) (*Preset, bool) {
	for _, rows := range presets {
		low, high := 0, len(rows)
		for low < high {
			if mid := (low + high) / 2; rows[mid].Name < name {
				low = mid + 1
			} else {
				high = mid
			}
		}
		if low < len(rows) && rows[low].Name == name {
			return &rows[low], true
		}
	}
	return nil, false
}

// clone returns a preset that can be changed.
func (p Preset) clone() Preset {
	p.ContentTypes, p.Versions = slices.Clone(p.ContentTypes), slices.Clone(p.Versions)
	if p.HMAC != nil {
		h := *p.HMAC
		if h.Timestamp != nil {
			ts := *h.Timestamp
			h.Timestamp = &ts
		}
		p.HMAC = &h
	}
	return p
}

// takenBy returns the providers that allow a key of a Spec.
func takenBy(key string) []string {
	var names []string
	for _, rows := range presets {
		for i := range rows {
			if slices.Contains(rows[i].takes, key) || slices.Contains(rows[i].needs, key) {
				names = append(names, rows[i].Name)
			}
		}
	}
	return names
}
