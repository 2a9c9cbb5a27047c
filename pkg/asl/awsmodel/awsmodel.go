// Package awsmodel holds what the models of AWS services say about their operations:
// names, members, and their encoding. Integrations of Task states use it to send a
// request that is written with Step Functions' names, and to name the members of the
// response.
//
// The tables contain facts from the published models; generate.py makes them and
// documents their format. A service is read when it is first used.
package awsmodel

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

//go:generate python3 generate.py services

//go:embed services/*.txt
var files embed.FS

//go:embed names.txt
var names string

var allNames = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		all[name] = true
	}
	return all
})

// Exists reports whether there is a service of that name, with or without a table here.
// Integrations leave out the word "service" at the end of some ids.
func Exists(name string) bool { return allNames()[name] || allNames()[name+"service"] }

// A Service describes one service on the wire.
type Service struct {
	// Name is its name in aws-sdk integrations, such as "dynamodb".
	Name string
	// ID is the service id without spaces, such as "DynamoDB".
	ID string
	// Prefix is the prefix of error names of aws-sdk integrations, such as "DynamoDb".
	Prefix string
	// Variable is the suffix of the environment variable AWS_ENDPOINT_URL_….
	Variable string
	// Protocol is json, rest-json, rest-xml or query.
	Protocol string
	// Signing is the service's name in signatures.
	Signing string
	// Version is the version of the API in query requests.
	Version string
	// JSONVersion and Target apply to the json protocol.
	JSONVersion, Target string
	// QueryCompatible is set for a service that had the protocol query before json, and
	// answers with the codes of both.
	QueryCompatible string

	operations map[string]*Operation
	exceptions map[string]string
	lines      map[string]string
	mu         sync.Mutex
	structures map[string]*Structure
}

// An Operation is one action of a service's API.
type Operation struct {
	// Name is the name in the API, in PascalCase.
	Name string
	// Method and URI are the request's; a URI contains {Member} and {Member+}.
	Method, URI string
	// Wrapper is the element around a query's result or an XML request.
	Wrapper string
	// Namespace is the namespace of an XML request.
	Namespace string

	service       *Service
	input, output string
}

// A Structure holds the members of an input, an output or a nested value.
type Structure struct {
	Name    string
	Members []Member
}

// The places of members in an HTTP message.
const (
	InBody    byte = 0
	InHeader  byte = 'h'
	InHeaders byte = 'H' // all headers with a prefix
	InQuery   byte = 'q'
	InPath    byte = 'u'
	InPayload byte = 'p' // the body is the member
	InStatus  byte = 'c'
)

// A Member is one member of a structure.
type Member struct {
	// Name is the name in Step Functions, Wire the name in the message.
	Name, Wire string
	Required   bool
	Type       Type
	Place      byte
	// Format is the format of a time: iso8601, rfc822, unixTimestamp, or empty for the
	// protocol's default.
	Format string
	// Item, Key and Value name the elements of a list or a map in XML and queries.
	Item, Key, Value string
	// Flat lists and maps have no enclosing element.
	Flat bool
	// Attribute marks a member that is an attribute in XML.
	Attribute bool
	// Stream marks a blob that is streamed.
	Stream bool
	// Idempotency marks a token that makes a call idempotent. SDKs generate it if it is
	// missing.
	Idempotency bool
	// Namespace is the namespace of an XML element.
	Namespace string
}

// The kinds of a [Type].
const (
	Text     byte = 's'
	Integer  byte = 'i'
	Float    byte = 'f'
	Boolean  byte = 'b'
	Blob     byte = 'x'
	Time     byte = 't'
	Document byte = 'j' // any JSON
	List     byte = '['
	Map      byte = '{'
	Record   byte = 'R' // a structure
)

// A Type is the type of a member.
type Type struct {
	Kind byte
	// Elem is the type of a list's items or a map's values.
	Elem *Type
	// Structure names the structure of the kind Record.
	Structure string
}

var known struct {
	sync.Mutex
	services map[string]*Service
}

// Lookup returns the service of a name; ok is false if there is no table for it.
func Lookup(name string) (s *Service, ok bool) {
	known.Lock()
	defer known.Unlock()
	if s, ok := known.services[name]; ok {
		return s, true
	}
	if known.services == nil {
		known.services = map[string]*Service{}
	}
	text, err := files.ReadFile("services/" + name + ".txt")
	if err != nil {
		return nil, false
	}
	s = parse(name, string(text))
	known.services[name] = s
	return s, true
}

// Operation returns the operation of an action in camelCase, as in the resources of
// tasks.
func (s *Service) Operation(action string) (*Operation, bool) {
	o, ok := s.operations[action]
	return o, ok
}

// Actions returns the actions of the service in camelCase, sorted.
func (s *Service) Actions() []string {
	actions := make([]string, 0, len(s.operations))
	for name := range s.operations {
		actions = append(actions, name)
	}
	slices.Sort(actions)
	return actions
}

// Exception returns the name of the exception that the SDK for Java throws for an error
// code: the modeled one, or the service's own.
func (s *Service) Exception(code string) string {
	if name, ok := s.exceptions[code]; ok {
		return name
	}
	return s.Prefix + "Exception"
}

// Input returns the structure of the request; nil if it has no members.
func (o *Operation) Input() *Structure { return o.service.Structure(o.input) }

// Output returns the structure of the response; nil if it has no members.
func (o *Operation) Output() *Structure { return o.service.Structure(o.output) }

// Service returns the operation's service.
func (o *Operation) Service() *Service { return o.service }

// Structure returns the structure with a name, or nil if there is none.
func (s *Service) Structure(name string) *Structure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.structures[name]; ok {
		return found
	}
	line, ok := s.lines[name]
	if !ok {
		return nil
	}
	found := &Structure{Name: name}
	for field := range strings.FieldsSeq(line) {
		found.Members = append(found.Members, parseMember(field))
	}
	s.structures[name] = found
	return found
}

// Member returns the member with a name, ignoring case, or nil if there is none.
func (s *Structure) Member(name string) *Member {
	if s == nil {
		return nil
	}
	for i := range s.Members {
		if s.Members[i].Name == name {
			return &s.Members[i]
		}
	}
	for i := range s.Members {
		if strings.EqualFold(s.Members[i].Name, name) {
			return &s.Members[i]
		}
	}
	return nil
}

// Payload returns the member that is the body of the message, or nil if there is none.
func (s *Structure) Payload() *Member {
	if s == nil {
		return nil
	}
	for i := range s.Members {
		if s.Members[i].Place == InPayload {
			return &s.Members[i]
		}
	}
	return nil
}
