package statesapi

import (
	"encoding/base64"
	"sort"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An UpdateInput is the request of [Service.Update]; a nil member was not sent, and
// leaves what it names unchanged.
type UpdateInput struct {
	StateMachineARN, Definition, RoleARN *string
	Publish                              bool
	VersionDescription                   *string
	Logging, Tracing, Encryption         *jsonata.Object
}

// An UpdateOutput is the answer of [Service.Update].
type UpdateOutput struct {
	UpdateDate             epoch  `json:"updateDate"`
	RevisionID             string `json:"revisionId,omitempty"`
	StateMachineVersionARN string `json:"stateMachineVersionArn,omitempty"`
}

// Update changes a state machine ([UpdateStateMachine]). Executions under way keep
// the definition that they began with.
//
// [UpdateStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
func (s *Service) Update(in UpdateInput) (*UpdateOutput, error) {
	a, err := in.check()
	if err != nil {
		return nil, err
	}
	// The type, which nothing changes, decides what the definition may hold.
	old, err := s.lookup(a)
	if err != nil {
		return nil, err
	}
	var machine Program
	if in.Definition != nil {
		if machine, err = s.parse(*in.Definition, old.kind); err != nil {
			return nil, err
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[a.base]
	if e == nil || e.current.kind != old.kind { // deleted meanwhile
		return nil, doesNotExist(a.full())
	}
	rev := *e.current
	if in.Definition != nil {
		rev.definition, rev.machine = *in.Definition, machine
	}
	if in.RoleARN != nil {
		rev.roleARN = *in.RoleARN
	}
	if in.Logging != nil {
		rev.logging = in.Logging
	}
	if in.Tracing != nil {
		rev.tracing = in.Tracing
	}
	if in.Encryption != nil {
		rev.crypto = in.Encryption
	}
	if rev.roleARN != e.current.roleARN || !sameConfiguration(e.current, &rev) {
		rev.id, rev.published = s.opts.UUID(), ""
		e.current = &rev
	}
	out := &UpdateOutput{UpdateDate: epoch(s.opts.Now()), RevisionID: e.current.id}
	if in.Publish {
		if out.StateMachineVersionARN, err = e.publish(deref(in.VersionDescription)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (in UpdateInput) check() (arn, *Error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	if in.Definition != nil {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.text("roleArn", in.RoleARN, 1, maxARN)
	c.description(in.VersionDescription)
	c.configurations(in.Logging, in.Encryption)
	if err := c.err(); err != nil {
		return arn{}, err
	}
	a, err := unqualified(in.StateMachineARN)
	if err != nil {
		return arn{}, err
	}
	if in.Definition == nil && in.RoleARN == nil && in.Logging == nil && in.Tracing == nil && in.Encryption == nil {
		return arn{}, errorf(MissingRequiredParameter,
			"Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if err := checkRole(in.RoleARN); err != nil {
		return arn{}, err
	}
	return a, checkDescription(in.VersionDescription, in.Publish)
}

// A ListInput is the request of [Service.List]; a nil member was not sent.
type ListInput struct {
	// MaxResults is at most 1000; nil and 0 stand for 100.
	MaxResults *int64
	NextToken  *string
}

// A ListOutput is one page of the answer of [Service.List]. NextToken is empty on
// the last one.
type ListOutput struct {
	StateMachines []ListItem `json:"stateMachines"`
	NextToken     string     `json:"nextToken,omitempty"`
}

// A ListItem is a state machine in a [ListOutput].
type ListItem struct {
	StateMachineARN string `json:"stateMachineArn"`
	Name            string `json:"name"`
	Type            string `json:"type"`
	CreationDate    epoch  `json:"creationDate"`
}

// List returns the state machines by page, in the order of their ARNs
// ([ListStateMachines]). A page goes on after the last one's place, whatever was
// created or deleted between them.
//
// [ListStateMachines]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html
func (s *Service) List(in ListInput) (*ListOutput, error) {
	var c constraints
	c.number("maxResults", in.MaxResults, maxPage)
	c.text("nextToken", in.NextToken, 1, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	size := 100
	if in.MaxResults != nil && *in.MaxResults > 0 {
		size = int(*in.MaxResults)
	}
	var after string
	if in.NextToken != nil {
		text, err := base64.RawURLEncoding.Strict().DecodeString(*in.NextToken)
		if err == nil {
			_, invalid := parseARN(string(text))
			if invalid == nil {
				after = string(text)
			}
		}
		if after == "" {
			return nil, errorf(InvalidToken, "Invalid Token: 'Invalid token'")
		}
	}

	s.mu.RLock()
	defer s.mu.RUnlock()
	arns := s.arns()
	arns = arns[sort.Search(len(arns), func(i int) bool { return arns[i] > after }):]
	out := &ListOutput{StateMachines: make([]ListItem, 0, min(size, len(arns)))}
	for _, a := range arns[:min(size, len(arns))] {
		rev := s.machines[a].current
		out.StateMachines = append(out.StateMachines, ListItem{rev.arn, rev.name, rev.kind, epoch(rev.created)})
	}
	if len(arns) > size {
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(arns[size-1]))
	}
	return out, nil
}
