package config

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/verify"
)

var verifyKeys = append([]string{
	"provider", "url", "audience", "email", "username", "publicKey", "handshake", "tolerance", "secrets", "versions", "contentTypes", "topics",
}, verify.Blocks()...)

// placesOfVerify is the number of positions that most routes record for verify.
const placesOfVerify = 4

func (d *document) readVerify(n ast.Node, r *Route) {
	spec := &r.HTTP.Verify
	if s, ok := n.(*ast.StringNode); ok {
		switch s.Value {
		case "none":
		case "link":
			r.HTTP.Link = true
		default:
			d.add(n, "verify must be a mapping, or none, or link")
		}
		spec.None = true
		return
	}
	at := &d.places
	at.reset()
	text := func(key string, to *string) func(ast.Node) {
		return func(n ast.Node) {
			at.set(key, n)
			*to = d.text(n, key)
		}
	}
	d.keys(n, "verify", verifyKeys, func(key string, n ast.Node) {
		at.set(key, n)
		switch key {
		case "provider":
			if spec.Provider = d.text(n, key); spec.Provider == "" {
				d.add(n, "verify.provider is empty")
			}
		case "url":
			spec.URL = d.text(n, key)
		case "audience":
			spec.Audience = d.text(n, key)
		case "email":
			spec.Email = d.text(n, key)
		case "username":
			spec.Username = d.text(n, key)
		case "publicKey":
			spec.PublicKey = d.text(n, key)
		case "handshake":
			if pairs, isMapping := mappingValues(n); isMapping && len(pairs) > 0 { // an empty one is already refused by text
				d.fields(n, key, map[string]func(ast.Node){"store": text("handshake.store", &spec.HandshakeStore)})
				return
			}
			spec.Handshake = d.text(n, key)
		case "tolerance":
			spec.Tolerance = verify.Duration(d.duration(n, key).String())
		case "secrets":
			d.textsAt(key, &spec.Secrets, at)(n)
		case "versions":
			d.textsAt(key, &spec.Versions, at)(n)
		case "contentTypes":
			d.textsAt(key, &spec.ContentTypes, at)(n)
		case "topics":
			d.textsAt(key, (*[]string)(&spec.Topics), at)(n)
		default:
			d.readBlock(n, key, key, spec.Block(key), at)
		}
	})
	for _, scheme := range d.schemes {
		if scheme.Name == spec.Provider {
			spec.Custom = scheme
		}
	}
	for _, p := range spec.Validate() {
		d.add(nearest(at, p.Field, n), "%s", p.Error())
	}
	for _, p := range at.list {
		d.keep(r, "verify."+p.key, p.node)
	}
	r.adoptPreset()
}

// readBlock reads the block of a scheme, or one inside it, by the scheme's description.
// Name is what messages call it.
func (d *document) readBlock(n ast.Node, path, name string, fields []verify.Field, at *keyNodes) {
	byKey := make(map[string]verify.Field, len(fields))
	for _, f := range fields {
		if f.Key != "" {
			byKey[f.Key] = f
			continue
		}
		to, _ := f.To.(*string)
		if _, ok := n.(*ast.StringNode); ok {
			*to = d.text(n, path)
			return
		}
		if ref, ok := rejoin(n); ok {
			*to = ref
			return
		}
	}
	d.keys(n, name, slices.Sorted(maps.Keys(byKey)), func(key string, n ast.Node) {
		f, path := byKey[key], path+"."+key
		at.set(path, n)
		name := cmp.Or(f.Name, path)
		switch to := f.To.(type) {
		case *string:
			*to = d.text(n, name)
		case *bool:
			*to = d.flag(n, name)
		case *verify.Duration:
			*to = verify.Duration(d.duration(n, name).String())
		case *[]string:
			d.textsAt(path, to, at)(n)
		case *map[string]string:
			*to = map[string]string{}
			for m := range d.members(n, name) {
				text, ok := d.expanded(m.value)
				if !ok {
					d.add(m.value, "%s.%s must be text, a number, true or false", name, m.name)
				}
				(*to)[m.name] = text
			}
		case func() []verify.Field:
			d.readBlock(n, path, name, to(), at)
		}
	})
}

// keyNodes are the values of keys, in the order in which they were read. A few are
// searched faster than a map is made.
type keyNodes struct {
	list []keyNode
}

type keyNode struct {
	key  string
	node ast.Node
}

func (k *keyNodes) reset() { k.list = k.list[:0] }

func (k *keyNodes) set(key string, n ast.Node) {
	for i := range k.list {
		if k.list[i].key == key {
			k.list[i].node = n
			return
		}
	}
	k.list = append(k.list, keyNode{key, n})
}

// node returns the value of a key, or nil.
func (k *keyNodes) node(key string) ast.Node {
	for _, p := range k.list {
		if p.key == key {
			return p.node
		}
	}
	return nil
}

// nearest returns the node of a field, or else of the nearest field that contains it.
func nearest(at *keyNodes, field string, block ast.Node) ast.Node {
	for field != "" {
		if n := at.node(field); n != nil {
			return n
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return block
}

// textsAt reads a list of text, and records the positions of the list and its items.
func (d *document) textsAt(key string, to *[]string, at *keyNodes) func(ast.Node) {
	return func(n ast.Node) {
		at.set(key, n)
		if list, ok := n.(*ast.SequenceNode); ok {
			for i, item := range list.Values {
				at.set(key+"."+strconv.Itoa(i), item)
			}
		}
		*to = d.texts(n, key)
	}
}
