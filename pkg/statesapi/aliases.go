package statesapi

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An alias routes executions to one version, or to two of them by weight. It is
// immutable: an update makes a new one.
type alias struct {
	name, arn, description string
	routes                 []weighted
	created, updated       time.Time
}

// A weighted holds a version to which an alias routes, and its weight.
type weighted struct{ version, weight int }

// choose returns the version for one execution.
func (a *alias) choose(random func() float64) int {
	if first := a.routes[0]; len(a.routes) == 1 || random()*100 < float64(first.weight) {
		return first.version
	}
	return a.routes[1].version
}

// aliasesOf returns the names of the aliases that route to a version.
func (e *entry) aliasesOf(version int) []string {
	var names []string
	for name, a := range e.aliases {
		if slices.ContainsFunc(a.routes, func(r weighted) bool { return r.version == version }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// A routingItem is one item of a routing configuration. A nil member was not sent.
type routingItem struct {
	StateMachineVersionARN *string `json:"stateMachineVersionArn"`
	Weight                 *int64  `json:"weight"`
}

// String formats the item as in the API's messages.
func (r routingItem) String() string {
	weight := "null"
	if r.Weight != nil {
		weight = strconv.FormatInt(*r.Weight, 10)
	}
	return "RoutingConfigurationListItem(stateMachineVersionArn=" + deref(r.StateMachineVersionARN) + ", weight=" + weight + ")"
}

// A createAliasInput is the request of [Service.createAlias]; a nil member was not sent.
type createAliasInput struct {
	Name, Description *string
	Routes            []routingItem
}

// A createAliasOutput is the answer of [Service.createAlias].
type createAliasOutput struct {
	StateMachineAliasARN string `json:"stateMachineAliasArn"`
	CreationDate         epoch  `json:"creationDate"`
}

// aliasPattern is the model's pattern, which no version number matches.
const aliasPattern = `^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`

var (
	aliasCharacters = regexp.MustCompile(`\A[a-zA-Z0-9_\-.]+\z`)
	aliasNoNumber   = regexp.MustCompile(`[a-zA-Z_\-.]`)
)

// createAlias creates an alias of the state machine to whose versions it routes. Like
// CreateStateMachine, it is idempotent ([CreateStateMachineAlias]).
//
// [CreateStateMachineAlias]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
func (s *Service) createAlias(in createAliasInput) (*createAliasOutput, error) {
	var c constraints
	c.description("description", in.Description)
	if c.required("name", in.Name != nil) {
		c.text("name", in.Name, 1, maxName)
		if !aliasCharacters.MatchString(*in.Name) || !aliasNoNumber.MatchString(*in.Name) {
			c.add(quoted(*in.Name), "name", "Member must satisfy regular expression pattern: "+aliasPattern)
		}
	}
	if c.required("routingConfiguration", in.Routes != nil) {
		c.routes(in.Routes)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	machine, routes, err := parseRoutes(in.Routes)
	if err != nil {
		return nil, err
	}
	if s.get(machine) == nil { // this operation has no error of its own for it
		return nil, noReference()
	}
	out := &createAliasOutput{}
	failed := s.amend(machine, func(e *entry) *Error {
		if err := e.checkRoutes(routes); err != nil {
			return err
		}
		a := e.aliases[*in.Name]
		switch {
		case a == nil && len(e.aliases) == maxAliases:
			return errorf(ServiceQuotaExceeded, "State machine alias limit exceeded: %d", maxAliases)
		case a == nil:
			now := s.opts.Now()
			a = &alias{*in.Name, machine.base + ":" + *in.Name, deref(in.Description), routes, now, now}
			if e.aliases == nil {
				e.aliases = map[string]*alias{}
			}
			e.aliases[a.name] = a
		case a.description != deref(in.Description) || !slices.Equal(a.routes, routes):
			return errorf(ConflictException, "Failed to create alias because an alias with the same name and a different routing configuration already exists.")
		}
		*out = createAliasOutput{a.arn, epoch(a.created)}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// routes checks a routing configuration against the model.
func (c *constraints) routes(list []routingItem) {
	const member = "routingConfiguration"
	if len(list) < 1 || len(list) > 2 {
		texts := make([]string, len(list))
		for i, r := range list {
			texts[i] = r.String()
		}
		c.length(quoted("["+strings.Join(texts, ", ")+"]"), member, len(list), 1, 2)
	}
	for i, r := range list {
		at := member + "." + strconv.Itoa(i+1) + ".member."
		if c.required(at+"stateMachineVersionArn", r.StateMachineVersionARN != nil) {
			c.text(at+"stateMachineVersionArn", r.StateMachineVersionARN, 1, maxARN)
		}
		if c.required(at+"weight", r.Weight != nil) {
			c.number(at+"weight", r.Weight, 100)
		}
	}
}

// parseRoutes checks a routing configuration by itself, and returns the state machine to
// which all of its versions must belong.
func parseRoutes(list []routingItem) (arn, []weighted, *Error) {
	var machine arn
	routes := make([]weighted, len(list))
	names, weights := make([]string, len(list)), make([]string, len(list))
	sum := int64(0)
	for i, r := range list {
		a, err := parseARN(*r.StateMachineVersionARN)
		if err != nil {
			return arn{}, nil, err
		}
		n, failed := strconv.Atoi(a.qualifier)
		if failed != nil || n < 1 {
			return arn{}, nil, invalid(reasonRouting, "Routing configuration must contain state machine version ARNs. Received: [%s]", *r.StateMachineVersionARN)
		}
		if i > 0 && a.base != machine.base {
			return arn{}, nil, invalid(reasonRouting, "Routing configuration must contain versions of one state machine. Received: [%s, %s]",
				*list[0].StateMachineVersionARN, *r.StateMachineVersionARN)
		}
		machine, routes[i] = arn{base: a.base, name: a.name}, weighted{n, int(*r.Weight)}
		names[i], weights[i] = *r.StateMachineVersionARN, strconv.FormatInt(*r.Weight, 10)
		sum += *r.Weight
	}
	if len(routes) == 2 && routes[0].version == routes[1].version {
		return arn{}, nil, invalid(reasonRouting, "Routing configuration must contain distinct state machine version ARNs. Received: [%s]", strings.Join(names, ", "))
	}
	if sum != 100 {
		return arn{}, nil, invalid(reasonRouting, "Sum of routing configuration weights must equal 100. Received: [%s]", strings.Join(weights, ", "))
	}
	return machine, routes, nil
}

// checkRoutes refuses routes to versions that do not exist.
func (e *entry) checkRoutes(routes []weighted) *Error {
	for _, r := range routes {
		if e.versions[r.version] == nil {
			return noReference()
		}
	}
	return nil
}

func noReference() *Error {
	return errorf(ResourceNotFound, "Request references a resource that does not exist.")
}

// An updateAliasInput is the request of [Service.updateAlias]; a nil member was not sent,
// and leaves what it names unchanged.
type updateAliasInput struct {
	StateMachineAliasARN, Description *string
	Routes                            []routingItem
}

// An updateAliasOutput is the answer of [Service.updateAlias].
type updateAliasOutput struct {
	UpdateDate epoch `json:"updateDate"`
}

// updateAlias changes an alias ([UpdateStateMachineAlias]).
//
// [UpdateStateMachineAlias]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachineAlias.html
func (s *Service) updateAlias(in updateAliasInput) (*updateAliasOutput, error) {
	var c constraints
	c.arn("stateMachineAliasArn", in.StateMachineAliasARN)
	c.description("description", in.Description)
	if in.Routes != nil {
		c.routes(in.Routes)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	a, err := qualified("stateMachineAliasArn", in.StateMachineAliasARN, maxARN)
	if err != nil {
		return nil, err
	}
	if in.Description == nil && in.Routes == nil {
		return nil, invalid(reasonMissing, "Either the description or the RoutingConfiguration must be specified")
	}
	routes, err := in.routes(a)
	if err != nil {
		return nil, err
	}
	if e := s.get(a); e == nil || e.aliases[a.qualifier] == nil {
		return nil, noReference()
	}
	out := &updateAliasOutput{}
	failed := s.amend(a, func(e *entry) *Error {
		old := e.aliases[a.qualifier]
		if old == nil {
			return noReference()
		}
		if err := e.checkRoutes(routes); err != nil {
			return err
		}
		next := *old
		if in.Description != nil {
			next.description = *in.Description
		}
		if routes != nil {
			next.routes = routes
		}
		next.updated = s.opts.Now()
		e.aliases[a.qualifier] = &next
		out.UpdateDate = epoch(next.updated)
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// routes returns the routes of the alias's own state machine that were sent, or nil.
func (in updateAliasInput) routes(a arn) ([]weighted, *Error) {
	if in.Routes == nil {
		return nil, nil
	}
	machine, routes, err := parseRoutes(in.Routes)
	if err == nil && machine.base != a.base {
		err = invalid(reasonRouting, "Routing configuration must contain versions of the alias's own state machine. Received: [%s]", machine.base)
	}
	return routes, err
}

// An aliasInput is the request of [Service.describeAlias] and [Service.deleteAlias].
type aliasInput struct{ StateMachineAliasARN *string }

// A describeAliasOutput is the answer of [Service.describeAlias].
type describeAliasOutput struct {
	StateMachineAliasARN string        `json:"stateMachineAliasArn"`
	Name                 string        `json:"name"`
	Description          string        `json:"description,omitempty"`
	Routes               []routingItem `json:"routingConfiguration"`
	CreationDate         epoch         `json:"creationDate"`
	UpdateDate           epoch         `json:"updateDate"`
}

// describeAlias returns an alias ([DescribeStateMachineAlias]).
//
// [DescribeStateMachineAlias]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineAlias.html
func (s *Service) describeAlias(in aliasInput) (*describeAliasOutput, error) {
	a, err := qualified("stateMachineAliasArn", in.StateMachineAliasARN, maxARN)
	if err != nil {
		return nil, err
	}
	e := s.get(a)
	if e == nil || e.aliases[a.qualifier] == nil {
		return nil, noReference()
	}
	x := e.aliases[a.qualifier]
	out := &describeAliasOutput{
		StateMachineAliasARN: x.arn, Name: x.name, Description: x.description,
		CreationDate: epoch(x.created), UpdateDate: epoch(x.updated),
	}
	for _, r := range x.routes {
		version, weight := e.versionARN(r.version), int64(r.weight)
		out.Routes = append(out.Routes, routingItem{&version, &weight})
	}
	return out, nil
}

// deleteAlias removes an alias ([DeleteStateMachineAlias]). Deleting a missing alias is not an error.
//
// [DeleteStateMachineAlias]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachineAlias.html
func (s *Service) deleteAlias(in aliasInput) error {
	a, err := qualified("stateMachineAliasArn", in.StateMachineAliasARN, maxARN)
	if err != nil {
		return err
	}
	if e := s.get(a); e == nil || e.aliases[a.qualifier] == nil {
		return nil
	}
	return s.change(a, func(e *entry) *Error {
		delete(e.aliases, a.qualifier)
		return nil
	})
}

// A listAliasesInput is the request of [Service.listAliases]; a nil member was not sent.
type listAliasesInput struct {
	// StateMachineARN may be the ARN of a version; then only its aliases are listed.
	StateMachineARN *string
	MaxResults      *int64
	NextToken       *string
}

// A listAliasesOutput is one page of the answer of [Service.listAliases].
type listAliasesOutput struct {
	Aliases   []createAliasOutput `json:"stateMachineAliases"`
	NextToken string              `json:"nextToken,omitempty"`
}

// listAliases returns the aliases of a state machine, the newest first ([ListStateMachineAliases]).
//
// [ListStateMachineAliases]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineAliases.html
func (s *Service) listAliases(in listAliasesInput) (*listAliasesOutput, error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	c.text("nextToken", in.NextToken, 1, maxToken) // here, the model has it first
	c.page(in.MaxResults, nil, maxToken)
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
	if e.deleting {
		return nil, isDeleting(a.full())
	}
	names := slices.Collect(maps.Keys(e.aliases))
	if a.qualifier != "" {
		rev, n := e.version(a.qualifier)
		if rev == nil {
			return nil, doesNotExist(a.full())
		}
		names = e.aliasesOf(n)
	}
	byKey := map[string]*alias{}
	for _, name := range names {
		byKey[latestFirst(e.aliases[name].created)+name] = e.aliases[name]
	}
	keys, next, err := page(slices.Sorted(maps.Keys(byKey)), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &listAliasesOutput{Aliases: []createAliasOutput{}, NextToken: next}
	for _, key := range keys {
		out.Aliases = append(out.Aliases, createAliasOutput{byKey[key].arn, epoch(byKey[key].created)})
	}
	return out, nil
}
