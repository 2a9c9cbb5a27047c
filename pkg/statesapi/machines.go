package statesapi

import (
	"bytes"
	"errors"
	"sort"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The types of state machines.
const (
	Express  = "EXPRESS"
	Standard = "STANDARD"
)

// A revision is one state of a state machine. It is never changed: an update makes
// another one, so that executions under way keep theirs.
type revision struct {
	arn, name, kind, roleARN string
	id                       string // "" until the first update, as in AWS's answers
	definition               string
	machine                  Program
	created                  time.Time
	logging, tracing, crypto *jsonata.Object
	description              string // of a version
	published                string // the version that holds this revision, or ""
}

// An entry is a state machine in the registry; the service's mutex guards it.
type entry struct {
	current  *revision
	versions []*revision // the n-th is version n+1
	tags     []Tag
}

// find returns the revision that an ARN means, under the lock.
func (e *entry) find(qualifier string) *revision {
	if qualifier == "" {
		return e.current
	}
	n, err := strconv.Atoi(qualifier)
	if err != nil || n < 1 || n > len(e.versions) || strconv.Itoa(n) != qualifier {
		return nil
	}
	return e.versions[n-1]
}

// A CreateInput is the request of [Service.Create]; a nil member was not sent.
type CreateInput struct {
	Name, Definition, RoleARN *string
	// Type is [Standard] by default, as in AWS.
	Type *string
	// Publish makes version 1 of the state machine.
	Publish            bool
	VersionDescription *string
	Tags               []Tag
	// The configurations are kept and returned, and change nothing.
	Logging, Tracing, Encryption *jsonata.Object
}

// A CreateOutput is the answer of [Service.Create].
type CreateOutput struct {
	StateMachineARN        string `json:"stateMachineArn"`
	CreationDate           epoch  `json:"creationDate"`
	StateMachineVersionARN string `json:"stateMachineVersionArn,omitempty"`
}

// Create makes a state machine ([CreateStateMachine]). It is idempotent: a second
// request with the same definition, type and configuration gets the first one's
// answer, any other an error with the code StateMachineAlreadyExists.
//
// [CreateStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
func (s *Service) Create(in CreateInput) (*CreateOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	kind := Standard
	if in.Type != nil {
		kind = *in.Type
	}
	machine, err := s.parse(*in.Definition, kind)
	if err != nil {
		return nil, err
	}
	rev := &revision{
		arn: s.ARN(*in.Name), name: *in.Name, kind: kind, roleARN: *in.RoleARN,
		definition: *in.Definition, machine: machine, created: s.opts.Now(),
		logging: in.Logging, tracing: in.Tracing, crypto: in.Encryption,
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[rev.arn]
	if e == nil {
		if len(s.machines) >= s.opts.MaxStateMachines {
			return nil, errorf(StateMachineLimitExceeded, "State Machine Limit Exceeded: '%d'", s.opts.MaxStateMachines)
		}
		e = &entry{current: rev, tags: mergeTags(nil, in.Tags)}
		s.machines[rev.arn] = e
	} else if !sameConfiguration(e.current, rev) {
		return nil, errorf(StateMachineAlreadyExists, "State Machine Already Exists: '%s'", rev.arn)
	}
	out := &CreateOutput{StateMachineARN: rev.arn, CreationDate: epoch(e.current.created)}
	if in.Publish {
		version, err := e.publish(deref(in.VersionDescription))
		if err != nil {
			return nil, err
		}
		out.StateMachineVersionARN = version
	}
	return out, nil
}

func (in CreateInput) check() *Error {
	var c constraints
	if c.required("name", in.Name != nil) {
		c.text("name", in.Name, 1, maxName)
	}
	if c.required("definition", in.Definition != nil) {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.arn("roleArn", in.RoleARN)
	c.oneOf("type", in.Type, Standard, Express)
	c.description(in.VersionDescription)
	c.tags(in.Tags)
	c.configurations(in.Logging, in.Encryption)
	if err := c.err(); err != nil {
		return err
	}
	if err := checkName(*in.Name); err != nil {
		return err
	}
	if err := checkRole(in.RoleARN); err != nil {
		return err
	}
	if err := checkDescription(in.VersionDescription, in.Publish); err != nil {
		return err
	}
	return checkTagCount(len(in.Tags))
}

// publish makes the current revision the next version, if it is not one already, and
// returns that version's ARN.
func (e *entry) publish(description string) (string, *Error) {
	if e.current.published == "" {
		if len(e.versions) == maxVersions {
			return "", errorf(ServiceQuotaExceeded, "State machine version limit exceeded: %d", maxVersions)
		}
		e.versions = append(e.versions, nil)
		rev := *e.current
		rev.description = description
		rev.published = rev.arn + ":" + strconv.Itoa(len(e.versions))
		e.versions[len(e.versions)-1] = &rev
		current := rev
		current.description = ""
		e.current = &current
	}
	return e.current.published, nil
}

// sameConfiguration is what AWS's idempotency of CreateStateMachine compares; the
// role and the tags are not in it.
func sameConfiguration(a, b *revision) bool {
	return a.definition == b.definition && a.kind == b.kind &&
		sameObject(a.logging, b.logging) && sameObject(a.tracing, b.tracing) && sameObject(a.crypto, b.crypto)
}

func sameObject(a, b *jsonata.Object) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, errX := jsonata.AppendJSON(nil, a)
	y, errY := jsonata.AppendJSON(nil, b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Put makes or replaces the EXPRESS state machine of that name, in the service's own
// account and region. The error of a definition that is refused is an [Error] with
// the code InvalidDefinition; the state machine then stays as it was.
func (s *Service) Put(name string, definition []byte) error {
	var c constraints
	c.text("name", &name, 1, maxName)
	c.sensitive("definition", utf8.RuneCount(definition), 1, maxDefinition)
	if err := c.err(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	text := string(definition)
	machine, invalid := s.parse(text, Express)
	if invalid != nil {
		return invalid
	}
	rev := &revision{
		arn: s.ARN(name), name: name, kind: Express, definition: text, machine: machine, created: s.opts.Now(),
		roleARN: "arn:aws:iam::" + s.opts.Account + ":role/" + name,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[rev.arn]
	if e == nil {
		if len(s.machines) >= s.opts.MaxStateMachines {
			return errorf(StateMachineLimitExceeded, "State Machine Limit Exceeded: '%d'", s.opts.MaxStateMachines)
		}
		s.machines[rev.arn] = &entry{current: rev}
		return nil
	}
	if !sameConfiguration(e.current, rev) {
		rev.created, rev.id = e.current.created, s.opts.UUID()
		e.current = rev
	}
	return nil
}

// lookup returns the revision that a parsed ARN names, or AWS's error.
func (s *Service) lookup(a arn) (*revision, *Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.machines[a.base]; e != nil {
		if rev := e.find(a.qualifier); rev != nil {
			return rev, nil
		}
	}
	return nil, doesNotExist(a.full())
}

// A DescribeInput is the request of [Service.Describe]; a nil member was not sent.
type DescribeInput struct{ StateMachineARN, IncludedData *string }

// A DescribeOutput is the answer of [Service.Describe].
type DescribeOutput struct {
	StateMachineARN string `json:"stateMachineArn"`
	Name            string `json:"name"`
	Status          string `json:"status"`
	// Definition is {} when only metadata was asked for.
	Definition   string          `json:"definition"`
	RoleARN      string          `json:"roleArn"`
	Type         string          `json:"type"`
	CreationDate epoch           `json:"creationDate"`
	Logging      *jsonata.Object `json:"loggingConfiguration"`
	Tracing      *jsonata.Object `json:"tracingConfiguration"`
	Encryption   *jsonata.Object `json:"encryptionConfiguration"`
	RevisionID   string          `json:"revisionId,omitempty"`
	Description  string          `json:"description,omitempty"`
}

// Describe returns a state machine, or a version of one ([DescribeStateMachine]).
//
// [DescribeStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
func (s *Service) Describe(in DescribeInput) (*DescribeOutput, error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	c.oneOf("includedData", in.IncludedData, allData, metadataOnly)
	if err := c.err(); err != nil {
		return nil, err
	}
	a, err := parseARN(*in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	rev, err := s.lookup(a)
	if err != nil {
		return nil, err
	}
	out := &DescribeOutput{
		StateMachineARN: a.full(), Name: rev.name, Status: "ACTIVE", Definition: rev.definition,
		RoleARN: rev.roleARN, Type: rev.kind, CreationDate: epoch(rev.created),
		Logging:    orObject(rev.logging, "level", "OFF", "includeExecutionData", false),
		Tracing:    orObject(rev.tracing, "enabled", false),
		Encryption: orObject(rev.crypto, "type", "AWS_OWNED_KEY"),
		RevisionID: rev.id, Description: rev.description,
	}
	if deref(in.IncludedData) == metadataOnly {
		out.Definition = "{}"
	}
	return out, nil
}

// orObject returns o, or an object of the members given as name, value, name, value.
func orObject(o *jsonata.Object, members ...any) *jsonata.Object {
	if o != nil {
		return o
	}
	o = jsonata.NewObject(len(members) / 2)
	for i := 0; i < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

// A DeleteInput is the request of [Service.Delete].
type DeleteInput struct{ StateMachineARN *string }

// Delete removes a state machine with its versions ([DeleteStateMachine]). That there
// is none is no error. Executions under way go on.
//
// [DeleteStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
func (s *Service) Delete(in DeleteInput) error {
	a, err := unqualified(in.StateMachineARN)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.machines, a.base)
	return nil
}

// unqualified checks the ARN of an operation that takes neither version nor alias.
func unqualified(text *string) (arn, *Error) {
	var c constraints
	c.arn("stateMachineArn", text)
	if err := c.err(); err != nil {
		return arn{}, err
	}
	a, err := parseARN(*text)
	if err == nil && a.qualifier != "" {
		err = errorf(ValidationException, "This operation does not support version or alias ARNs: '%s'", *text)
	}
	return a, err
}

func (s *Service) parse(definition, kind string) (Program, *Error) {
	machine, err := s.opts.Engine.Parse([]byte(definition), kind)
	if err == nil {
		return machine, nil
	}
	return nil, errorf(InvalidDefinition, "Invalid State Machine Definition: '%s'", definitionMessage(diagnose(err)))
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// arns returns the ARNs of all state machines in alphabetical order; the
// caller holds the lock.
func (s *Service) arns() []string {
	list := make([]string, 0, len(s.machines))
	for a := range s.machines {
		list = append(list, a)
	}
	sort.Strings(list)
	return list
}

var errClosed = errors.New("the service was closed")
