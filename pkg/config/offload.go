package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// readOffload reads either s3://bucket/prefix, or a mapping with it as `to`, and a
// kmsKey.
func (d *document) readOffload(n ast.Node) *bridge.Offload {
	o := &bridge.Offload{}
	read := func(n ast.Node) {
		text := d.text(n, "offload")
		place, ok := strings.CutPrefix(text, "s3://")
		bucket, prefix, _ := strings.Cut(place, "/")
		if !ok || !isBucket(bucket) || len(prefix) > 512 || strings.ContainsFunc(prefix, func(r rune) bool { return r < ' ' || r > '~' }) {
			d.add(n, "offload must be a bucket and a prefix, such as s3://my-bucket/webhooks, not %q", text)
			return
		}
		if prefix = strings.Trim(prefix, "/"); prefix != "" {
			prefix += "/"
		}
		o.Bucket, o.Prefix = bucket, prefix
	}
	if _, isMapping := mappingValues(n); !isMapping {
		read(n)
		return o
	}
	have := d.fields(n, "offload", map[string]func(ast.Node){
		"to": read,
		"kmsKey": func(n ast.Node) {
			if o.KMSKey = d.text(n, "offload.kmsKey"); strings.ContainsFunc(o.KMSKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
				d.add(n, "offload.kmsKey must be the ARN, the id or the alias of a key, not %q", o.KMSKey)
			}
		},
	})
	if !have.has("to") {
		d.add(n, "offload has no to: write a bucket and a prefix, such as s3://my-bucket/webhooks")
	}
	return o
}

// isBucket accepts the names of general purpose buckets.
func isBucket(s string) bool {
	return len(s) >= 3 && only(s, lowercase+digits+".-", 63) && only(s[:1], lowercase+digits, 1) && only(s[len(s)-1:], lowercase+digits, 1)
}
