package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// An Offload names the place for inputs that are too large for an execution.
type Offload struct {
	Bucket string
	// Prefix begins the name of each object; it is empty or ends in a slash.
	Prefix string
	// KMSKey encrypts the objects; empty leaves that to the bucket.
	KMSKey string
}

// An Object is what an [Offloader] puts into a bucket.
type Object struct {
	Bucket, Key string
	// KMSKey encrypts the object; empty leaves that to the bucket.
	KMSKey string
	Body   []byte
}

// An Offloader puts objects into buckets. It returns nil only if the object has been
// stored; its errors contain no payload. Implementations are safe for concurrent use and
// honour the context's deadline.
type Offloader interface {
	Put(ctx context.Context, o Object) error
}

// offload puts an input into the route's bucket, and returns the reference that the
// execution gets in its place. The object's name is made from the delivery and the input,
// so that a repeated delivery does not store a second object.
func (b *Bridge) offload(ctx context.Context, d *Delivery, input json.RawMessage) (json.RawMessage, error) {
	to := d.Route.Offload
	if b.offloader == nil {
		return nil, NewFailure(Misconfigured, "the route has offload, but there is no client for buckets", nil)
	}
	sum := sha256.Sum256(input)
	o := Object{
		Bucket: to.Bucket, KMSKey: to.KMSKey, Body: input,
		Key: to.Prefix + executionName(d.Route.Name, d.ID) + "-" + hex.EncodeToString(sum[:8]) + ".json",
	}
	if err := b.offloader.Put(ctx, o); err != nil {
		return nil, &Failure{Name: Unavailable, Cause: "the input is too large for an execution, and could not be stored in the bucket", Err: err, RetryAfter: 5 * time.Second}
	}
	reference := struct {
		Bucket string `json:"bucket"`
		Key    string `json:"key"`
		Size   int    `json:"size"`
	}{o.Bucket, o.Key, len(input)}
	text, err := json.Marshal(map[string]any{"offloaded": reference})
	if err != nil {
		return nil, fmt.Errorf("write the reference: %w", err)
	}
	return text, nil
}
