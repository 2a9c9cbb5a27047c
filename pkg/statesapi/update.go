package statesapi

import "github.com/expressway-dev/expressway/pkg/jsonata"

// An updateInput is the request of [Service.update]; a nil member was not sent, and its
// part is left unchanged.
type updateInput struct {
	StateMachineARN, Definition, RoleARN *string
	Publish                              bool
	VersionDescription                   *string
	Logging, Tracing, Encryption         *jsonata.Object
}

func (in updateInput) settings() settings { return settings{in.Logging, in.Tracing, in.Encryption} }

// An updateOutput is the answer of [Service.update].
type updateOutput struct {
	UpdateDate             epoch  `json:"updateDate"`
	RevisionID             string `json:"revisionId,omitempty"`
	StateMachineVersionARN string `json:"stateMachineVersionArn,omitempty"`
}

// update changes a state machine ([UpdateStateMachine]). Running executions keep the
// definition with which they began.
//
// [UpdateStateMachine]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
func (s *Service) update(in updateInput) (*updateOutput, error) {
	a, err := in.check()
	if err != nil {
		return nil, err
	}
	// The type, which cannot be changed, decides what the definition may contain.
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

	out := &updateOutput{UpdateDate: epoch(s.opts.Now())}
	failed := s.amend(a, func(e *entry) *Error {
		if e.current.kind != old.kind { // deleted and created again in the meantime
			return doesNotExist(a.full())
		}
		if rev := in.apply(e.current, machine); rev.roleARN != e.current.roleARN || !sameConfiguration(e.current, rev) {
			rev.id, rev.published = s.opts.UUID(), 0
			e.current = rev
		}
		out.RevisionID = e.current.id
		if in.Publish {
			version, err := e.publish(deref(in.VersionDescription), s.opts.Now())
			if err != nil {
				return err
			}
			out.StateMachineVersionARN = e.versionARN(version)
		}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// apply returns a revision with the changes; machine is the compiled definition.
func (in updateInput) apply(old *revision, machine Program) *revision {
	rev := *old
	if in.Definition != nil {
		rev.definition, rev.machine = *in.Definition, machine
	}
	if in.RoleARN != nil {
		rev.roleARN = *in.RoleARN
	}
	given := in.settings().withDefaults()
	if in.Logging != nil {
		rev.logging = given.logging
	}
	if in.Tracing != nil {
		rev.tracing = given.tracing
	}
	if in.Encryption != nil {
		rev.encryption = given.encryption
	}
	return &rev
}

func (in updateInput) check() (arn, *Error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	if in.Definition != nil {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.text("roleArn", in.RoleARN, 1, maxARN)
	in.settings().constrainLogging(&c)
	c.description("versionDescription", in.VersionDescription)
	in.settings().constrainEncryption(&c)
	if err := c.err(); err != nil {
		return arn{}, err
	}
	a, err := parseARN(*in.StateMachineARN)
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
	if err := checkDescription(in.VersionDescription, in.Publish); err != nil {
		return arn{}, err
	}
	if err := in.settings().check(); err != nil {
		return arn{}, err
	}
	if a.qualifier != "" { // only a state machine itself can be updated
		return arn{}, doesNotExist(a.full())
	}
	return a, nil
}
