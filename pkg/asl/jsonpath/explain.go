package jsonpath

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Explain says why Eval found nothing in root, in Jayway's words, which the service
// puts into its causes after "Invalid path '…' : ".
func (p *Path) Explain(root any) string {
	var place strings.Builder
	place.WriteByte('$')
	v := root
	for i := range p.steps {
		s := &p.steps[i]
		before := place.String()
		s.print(&place)
		last := i == len(p.steps)-1
		switch s.kind {
		case member:
			v = jsonata.Force(v)
			o, ok := v.(*jsonata.Object)
			if !ok {
				return fmt.Sprintf("Expected to find an object with property ['%s'] in path %s but found '%s'. "+
					"This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
					s.name, before, javaType(v))
			}
			if v, ok = o.Get(s.name); !ok && !last {
				return "Missing property in path " + place.String()
			} else if !ok {
				return "No results for path: " + place.String()
			}
		case element:
			v = jsonata.Force(v)
			list, ok := v.([]any)
			if !ok && v == nil {
				return fmt.Sprintf("The path %s is null", before)
			}
			if !ok {
				return fmt.Sprintf("Filter: [%d] can only be applied to arrays. Current context is: %s", s.index, javaText(v))
			}
			if v, ok = at(list, s.index); !ok {
				return "No results for path: " + p.String()
			}
		default:
			return "No results for path: " + p.String()
		}
	}
	return "No results for path: " + p.String()
}

// javaType names the class that stands for a JSON value in the service.
func javaType(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "java.lang.Boolean"
	case string:
		return "java.lang.String"
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return "java.lang.Double"
		}
		if n, ok := integerOf(v); ok && n == int64(int32(n)) {
			return "java.lang.Integer"
		} else if ok {
			return "java.lang.Long"
		}
		return "java.math.BigInteger"
	case float64:
		return "java.lang.Double"
	case []any:
		return "java.util.ArrayList"
	}
	return "java.util.LinkedHashMap"
}

// javaText writes a value as the service's maps and lists print themselves.
func javaText(v any) string {
	text := jsonata.Force(v)
	switch v := text.(type) {
	case string:
		return v
	case *jsonata.Object:
		var b strings.Builder
		b.WriteByte('{')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			k, e := v.At(i)
			b.WriteString(k + "=" + javaText(e))
		}
		return b.String() + "}"
	case []any:
		var b strings.Builder
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(javaText(e))
		}
		return b.String() + "]"
	}
	out, err := jsonata.AppendJSON(nil, text)
	if err != nil {
		return "?"
	}
	return string(out)
}
