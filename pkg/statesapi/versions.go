package statesapi

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A publishInput is the request of [Service.publishVersion]; a nil member was not sent.
type publishInput struct {
	StateMachineARN *string
	// RevisionID must be that of the current revision; INITIAL names the revision before
	// the first update.
	RevisionID  *string
	Description *string
}

// A publishOutput is the answer of [Service.publishVersion].
type publishOutput struct {
	CreationDate           epoch  `json:"creationDate"`
	StateMachineVersionARN string `json:"stateMachineVersionArn"`
}

// initialRevision is the id of a revision that has none.
const initialRevision = "INITIAL"

// publishVersion publishes the current revision as a version, or returns its version if
// it has one ([PublishStateMachineVersion]).
//
// [PublishStateMachineVersion]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
func (s *Service) publishVersion(in publishInput) (*publishOutput, error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	c.description("description", in.Description)
	if err := c.err(); err != nil {
		return nil, err
	}
	a, err := parseUnqualified(*in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	out := &publishOutput{}
	failed := s.amend(a, func(e *entry) *Error {
		if id := orInitial(e.current.id); in.RevisionID != nil && *in.RevisionID != id {
			return errorf(ConflictException,
				"Failed to publish the State Machine version for revision %s. The current State Machine revision is %s.", *in.RevisionID, id)
		}
		n, err := e.publish(deref(in.Description), s.opts.Now())
		if err != nil {
			return err
		}
		*out = publishOutput{epoch(e.versions[n].created), e.versionARN(n)}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

func orInitial(id string) string {
	if id == "" {
		return initialRevision
	}
	return id
}

// A deleteVersionInput is the request of [Service.deleteVersion].
type deleteVersionInput struct{ StateMachineVersionARN *string }

// maxLongARN is the limit of ARNs with a qualifier.
const maxLongARN = 2000

// deleteVersion removes a version ([DeleteStateMachineVersion]). Deleting a missing one is
// not an error. A version to which an alias routes cannot be deleted.
//
// [DeleteStateMachineVersion]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachineVersion.html
func (s *Service) deleteVersion(in deleteVersionInput) error {
	a, err := qualified("stateMachineVersionArn", in.StateMachineVersionARN, maxLongARN)
	if err != nil {
		return err
	}
	e := s.get(a)
	if e == nil {
		return nil
	}
	if rev, _ := e.version(a.qualifier); rev == nil {
		return nil
	}
	return s.change(a, func(e *entry) *Error {
		_, n := e.version(a.qualifier)
		if names := e.aliasesOf(n); len(names) > 0 {
			return errorf(ConflictException, "Version to be deleted must not be referenced by an alias. "+
				"Current list of aliases referencing this version: [%s]", strings.Join(names, ", "))
		}
		delete(e.versions, n)
		if e.current.published == n {
			current := *e.current
			current.published = 0
			e.current = &current
		}
		return nil
	})
}

// qualified checks the ARN in an operation on a version or an alias.
func qualified(member string, text *string, longest int) (arn, *Error) {
	var c constraints
	if c.required(member, text != nil) {
		c.text(member, text, 1, longest)
	}
	if err := c.err(); err != nil {
		return arn{}, err
	}
	a, err := parseARN(*text)
	if err == nil && a.qualifier == "" {
		err = invalidARN(*text)
	}
	return a, err
}

// A listVersionsInput is the request of [Service.listVersions]; a nil member was not sent.
type listVersionsInput struct {
	StateMachineARN *string
	// MaxResults is at most 1000; nil and 0 mean 100.
	MaxResults *int64
	NextToken  *string
}

// A listVersionsOutput is one page of the answer of [Service.listVersions].
type listVersionsOutput struct {
	Versions  []versionItem `json:"stateMachineVersions"`
	NextToken string        `json:"nextToken,omitempty"`
}

// A versionItem is a version in a [listVersionsOutput].
type versionItem struct {
	StateMachineVersionARN string `json:"stateMachineVersionArn"`
	CreationDate           epoch  `json:"creationDate"`
}

// listVersions returns the versions of a state machine, the newest first
// ([ListStateMachineVersions]).
//
// [ListStateMachineVersions]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineVersions.html
func (s *Service) listVersions(in listVersionsInput) (*listVersionsOutput, error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	c.text("nextToken", in.NextToken, 1, maxToken) // the model checks it first here
	c.page(in.MaxResults, nil, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	a, err := parseUnqualified(*in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	out := &listVersionsOutput{Versions: []versionItem{}}
	e := s.get(a)
	if e == nil {
		return out, nil // as in AWS, whose operation has no error for this
	}
	// The keys sort in the order of the versions in the answer.
	byKey := make(map[string]int, len(e.versions))
	keys := make([]string, 0, len(e.versions))
	for n := range e.versions {
		key := fmt.Sprintf("%020d", math.MaxInt-n) // the place stays the same when later versions are added
		byKey[key] = n
		keys = append(keys, key)
	}
	slices.Sort(keys)
	keys, out.NextToken, err = page(keys, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		n := byKey[key]
		out.Versions = append(out.Versions, versionItem{e.versionARN(n), epoch(e.versions[n].created)})
	}
	return out, nil
}
