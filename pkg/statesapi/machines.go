package statesapi

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The types of state machines.
const (
	Express  = "EXPRESS"
	Standard = "STANDARD"
)

// A CreateInput is the request of [Service.Create]; a nil member was not sent.
type CreateInput struct {
	Name, Definition, RoleARN *string
	// Type is [Standard] by default, as in AWS.
	Type *string
	// Publish makes version 1 of the state machine.
	Publish            bool
	VersionDescription *string
	Tags               []Tag
	// The configurations are kept and returned, but have no effect.
	Logging, Tracing, Encryption *jsonata.Object
}

func (in CreateInput) settings() settings { return settings{in.Logging, in.Tracing, in.Encryption} }

// A CreateOutput is the answer of [Service.Create].
type CreateOutput struct {
	StateMachineARN        string `json:"stateMachineArn"`
	CreationDate           epoch  `json:"creationDate"`
	StateMachineVersionARN string `json:"stateMachineVersionArn,omitempty"`
}

// Create makes a state machine ([CreateStateMachine]). It is idempotent: a second request
// with the same definition, type and configuration gets the first one's answer; any other
// gets an error with the code StateMachineAlreadyExists.
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
		definition: *in.Definition, machine: machine, created: s.opts.Now(), settings: in.settings().withDefaults(),
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[rev.arn]
	if e != nil && e.deleting {
		return nil, isDeleting(rev.arn)
	}
	if e == nil {
		e = &entry{current: rev, tags: mergeTags(nil, in.Tags), published: in.Publish, description: deref(in.VersionDescription)}
		if len(s.machines) >= s.opts.MaxStateMachines {
			return nil, errorf(StateMachineLimitExceeded, "State Machine Limit Exceeded: '%d'", s.opts.MaxStateMachines)
		}
		if in.Publish {
			if _, err := e.publish(e.description, s.opts.Now()); err != nil {
				return nil, err
			}
		}
		if err := s.commit(e); err != nil {
			return nil, err
		}
	} else if e.published != in.Publish || e.description != deref(in.VersionDescription) || !sameConfiguration(e.current, rev) {
		return nil, errorf(StateMachineAlreadyExists, "State Machine Already Exists: '%s'", rev.arn)
	}
	out := &CreateOutput{StateMachineARN: rev.arn, CreationDate: epoch(e.current.created)}
	if in.Publish && e.current.published != 0 {
		out.StateMachineVersionARN = e.versionARN(e.current.published)
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
	in.settings().constrainLogging(&c)
	c.tags(in.Tags)
	c.description("versionDescription", in.VersionDescription)
	in.settings().constrainEncryption(&c)
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
	if err := in.settings().check(); err != nil {
		return err
	}
	return checkTagCount(len(in.Tags))
}

// sameConfiguration compares the settings that AWS's CreateStateMachine compares for
// idempotency, which do not include the role and the tags.
func sameConfiguration(a, b *revision) bool {
	return a.definition == b.definition && a.kind == b.kind &&
		sameObject(a.logging, b.logging) && sameObject(a.tracing, b.tracing) && sameObject(a.encryption, b.encryption)
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
// account and region. If the definition is refused, the error is an [Error] with the code
// InvalidDefinition, and the state machine is unchanged.
func (s *Service) Put(name string, definition []byte) error {
	return s.PutKind(name, Express, definition)
}

// PutKind is [Service.Put] for a state machine of a type, [Express] or [Standard].
func (s *Service) PutKind(name, kind string, definition []byte) error {
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
	machine, invalid := s.parse(text, kind)
	if invalid != nil {
		return invalid
	}
	rev := &revision{
		arn: s.ARN(name), name: name, kind: kind, definition: text, machine: machine, created: s.opts.Now(),
		roleARN: "arn:aws:iam::" + s.opts.Account + ":role/" + name, settings: settings{}.withDefaults(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[rev.arn]
	if e == nil {
		if len(s.machines) >= s.opts.MaxStateMachines {
			return errorf(StateMachineLimitExceeded, "State Machine Limit Exceeded: '%d'", s.opts.MaxStateMachines)
		}
		return s.commit(&entry{current: rev, fromFile: true})
	}
	next := e.clone()
	next.fromFile, next.deleting = true, false
	if !sameConfiguration(e.current, rev) {
		rev.created, rev.id = e.current.created, s.opts.UUID()
		next.current = rev
	}
	return s.commit(next)
}

// A DescribeInput is the request of [Service.Describe]; a nil member was not sent.
type DescribeInput struct{ StateMachineARN, IncludedData *string }

// A DescribeOutput is the answer of [Service.Describe].
type DescribeOutput struct {
	StateMachineARN string `json:"stateMachineArn"`
	Name            string `json:"name"`
	Status          string `json:"status"`
	// Definition is {} if only metadata was requested.
	Definition   string          `json:"definition"`
	RoleARN      string          `json:"roleArn"`
	Type         string          `json:"type"`
	CreationDate epoch           `json:"creationDate"`
	Logging      *jsonata.Object `json:"loggingConfiguration"`
	Tracing      *jsonata.Object `json:"tracingConfiguration"`
	Encryption   *jsonata.Object `json:"encryptionConfiguration"`
	RevisionID   string          `json:"revisionId,omitempty"`
	Description  string          `json:"description,omitempty"`
	// VariableReferences are the variables that each state refers to, by its name.
	VariableReferences map[string][]string `json:"variableReferences,omitempty"`
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
	e := s.get(a)
	if e == nil {
		return nil, doesNotExist(a.full())
	}
	// An alias may route to two versions: describe the one with more weight.
	rev := e.find(a.qualifier, func() float64 { return 0.5 }).revision
	if rev == nil {
		return nil, doesNotExist(a.full())
	}
	out := &DescribeOutput{
		StateMachineARN: a.full(), Name: rev.name, Status: "ACTIVE", Definition: rev.definition,
		RoleARN: rev.roleARN, Type: rev.kind, CreationDate: epoch(rev.created),
		Logging: rev.logging, Tracing: rev.tracing, Encryption: rev.encryption,
		RevisionID: rev.id, Description: rev.description,
	}
	if e.deleting {
		out.Status = "DELETING"
	}
	if deref(in.IncludedData) == metadataOnly {
		out.Definition = "{}"
	} else {
		out.VariableReferences = asl.VariableReferences([]byte(rev.definition))
	}
	return out, nil
}

// A DeleteInput is the request of [Service.Delete].
type DeleteInput struct{ StateMachineARN *string }

// Delete removes a state machine with its versions and aliases ([DeleteStateMachine]).
// Deleting a missing one is not an error. Running executions continue; a STANDARD state
// machine stays until they have ended, and starts no new ones.
//
// [DeleteStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
func (s *Service) Delete(in DeleteInput) error {
	a, err := unqualified(in.StateMachineARN)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[a.base]
	if e == nil {
		return nil
	}
	if err := s.remove(a.base); err != nil {
		return err
	}
	if s.busy(a.base) {
		e = e.clone()
		e.deleting = true
		s.machines[a.base] = e
		return nil
	}
	delete(s.machines, a.base)
	return nil
}

// busy reports whether a STANDARD state machine has running executions.
func (s *Service) busy(base string) bool {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	return len(s.names.listed[base][bridge.Running]) > 0
}

// finishDeletion removes a state machine that has waited for an execution to end.
func (s *Service) finishDeletion(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.machines[base]; e != nil && e.deleting && !s.busy(base) {
		delete(s.machines, base)
	}
}

// unqualified checks the ARN of an operation that accepts neither a version nor an alias.
func unqualified(text *string) (arn, *Error) {
	var c constraints
	c.arn("stateMachineArn", text)
	if err := c.err(); err != nil {
		return arn{}, err
	}
	return parseUnqualified(*text)
}

func parseUnqualified(text string) (arn, *Error) {
	a, err := parseARN(text)
	if err == nil && a.qualifier != "" {
		err = errorf(ValidationException, "This operation does not support version or alias ARNs: '%s'", text)
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

var errClosed = errors.New("the service was closed")
