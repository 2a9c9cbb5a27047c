package jsonpath

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/jsonpath/javatext"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Explain says why Eval found nothing in root, with Jayway's text, which the service
// includes in its causes after "Invalid path '…' : ".
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
					s.name, before, javatext.TypeName(v))
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
				return fmt.Sprintf("Filter: [%d] can only be applied to arrays. Current context is: %s", s.index, javatext.Append(nil, v))
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
