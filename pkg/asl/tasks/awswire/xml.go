package awswire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxDepth bounds the nesting of elements.
const maxDepth = 100

// A node is an element.
type node struct {
	name       string
	attributes map[string]string
	children   []*node
	text       strings.Builder
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (n *node) value(name string) string {
	if c := n.child(name); c != nil {
		return c.text.String()
	}
	return ""
}

// parseXML reads a document into its root element.
func parseXML(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*node
	var root *node
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && root != nil && len(stack) == 0:
			if strings.EqualFold(root.name, "html") {
				return nil, errors.New("the answer is HTML")
			}
			return root, nil
		case err != nil:
			return nil, fmt.Errorf("the answer is not XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attributes: map[string]string{}}
			for _, a := range t.Attr {
				n.attributes[a.Name.Local] = a.Value
			}
			if len(stack) >= maxDepth {
				return nil, errors.New("the answer is nested too deeply")
			}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text.Write(t)
			}
		}
	}
}

// fromXMLObject reads the members of an element; only selects them, and nil selects all.
func fromXMLObject(s *awsmodel.Service, out *awsmodel.Structure, n *node, only func(*awsmodel.Member) bool) *jsonata.Object {
	o := jsonata.NewObject(len(n.children))
	if out == nil {
		return o
	}
	for i := range out.Members {
		m := &out.Members[i]
		if only != nil && !only(m) {
			continue
		}
		if m.Attribute {
			if v, ok := n.attributes[m.Wire[strings.IndexByte(m.Wire, ':')+1:]]; ok {
				o.Set(m.Name, v)
			}
			continue
		}
		var found []*node
		for _, c := range n.children {
			if c.name == m.Wire {
				found = append(found, c)
			}
		}
		if len(found) > 0 {
			o.Set(m.Name, fromXML(s, m, m.Type, found))
		}
	}
	return o
}

// fromXML reads the elements of a member; a flat list or map has more than one.
func fromXML(s *awsmodel.Service, m *awsmodel.Member, t awsmodel.Type, found []*node) any {
	switch t.Kind {
	case awsmodel.List:
		if !m.Flat {
			found = found[0].children
		}
		items := make([]any, len(found))
		for i, n := range found {
			items[i] = fromXML(s, &awsmodel.Member{}, *t.Elem, []*node{n})
		}
		return items
	case awsmodel.Map:
		if !m.Flat {
			found = found[0].children
		}
		o := jsonata.NewObject(len(found))
		for _, n := range found {
			if value := n.child(orDefault(m.Value, "value")); value != nil {
				o.Set(n.value(orDefault(m.Key, "key")), fromXML(s, &awsmodel.Member{}, *t.Elem, []*node{value}))
			}
		}
		return o
	case awsmodel.Record:
		return fromXMLObject(s, s.Structure(t.Structure), found[0], nil)
	}
	return fromText(t.Kind, found[0].text.String())
}

// appendXML writes a member as an element.
func appendXML(b *bytes.Buffer, s *awsmodel.Service, m *awsmodel.Member, t awsmodel.Type, v any, name, namespace, path string) error {
	v = jsonata.Force(v)
	switch t.Kind {
	case awsmodel.List:
		return appendXMLList(b, s, m, t, v, name, path)
	case awsmodel.Record:
		o, ok := v.(*jsonata.Object)
		if !ok {
			return &FieldError{path, "must be an object"}
		}
		var attributes strings.Builder
		var inner bytes.Buffer
		err := each(s.Structure(t.Structure), o, path, func(m *awsmodel.Member, v any, path string) error {
			if m.Attribute {
				return appendAttribute(&attributes, m, v, path)
			}
			return appendXML(&inner, s, m, m.Type, v, m.Wire, m.Namespace, path)
		})
		if err != nil {
			return err
		}
		start(b, name, namespace, attributes.String())
		b.Write(inner.Bytes())
		b.WriteString("</" + name + ">")
		return nil
	case awsmodel.Map:
		o, ok := v.(*jsonata.Object)
		if !ok {
			return &FieldError{path, "must be an object"}
		}
		return element(b, name, namespace, func() error {
			for i := range o.Len() {
				key, item := o.At(i)
				err := element(b, "entry", "", func() error {
					escape(b, orDefault(m.Key, "key"), key)
					return appendXML(b, s, &awsmodel.Member{}, *t.Elem, item, orDefault(m.Value, "value"), "", join(path, key))
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	scalar, err := text(&awsmodel.Member{Type: t, Format: m.Format}, v, path, "iso8601")
	if err == nil {
		escape(b, name, scalar)
	}
	return err
}

func appendXMLList(b *bytes.Buffer, s *awsmodel.Service, m *awsmodel.Member, t awsmodel.Type, v any, name, path string) error {
	list, ok := v.([]any)
	if !ok {
		return &FieldError{path, "must be an array"}
	}
	items := func(name string) error {
		for i, item := range list {
			if err := appendXML(b, s, &awsmodel.Member{}, *t.Elem, item, name, "", fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if m.Flat {
		return items(name)
	}
	return element(b, name, "", func() error { return items(orDefault(m.Item, "member")) })
}

// appendAttribute writes a member as an attribute. The models have one prefix of a
// namespace, that of xsi:type.
func appendAttribute(b *strings.Builder, m *awsmodel.Member, v any, path string) error {
	value, err := text(m, jsonata.Force(v), path, "iso8601")
	if err != nil {
		return err
	}
	if strings.HasPrefix(m.Wire, "xsi:") {
		b.WriteString(` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`)
	}
	b.WriteString(" " + m.Wire + `="`)
	_ = xml.EscapeText(b, []byte(value)) // a Builder does not fail
	b.WriteString(`"`)
	return nil
}

// start writes the beginning of an element; attributes are escaped, with a space before each.
func start(b *bytes.Buffer, name, namespace, attributes string) {
	b.WriteString("<" + name)
	if namespace != "" {
		b.WriteString(` xmlns="` + namespace + `"`)
	}
	b.WriteString(attributes + ">")
}

func element(b *bytes.Buffer, name, namespace string, content func() error) error {
	start(b, name, namespace, "")
	err := content()
	b.WriteString("</" + name + ">")
	return err
}

func escape(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Buffer does not fail
	b.WriteString("</" + name + ">")
}
