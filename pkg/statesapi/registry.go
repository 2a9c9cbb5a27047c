package statesapi

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A revision is one state of a state machine. It is immutable: an update makes a new one,
// so that running executions keep theirs.
type revision struct {
	arn, name, kind, roleARN string
	id                       string // "" until the first update, as in AWS's answers
	definition               string
	machine                  Program
	created                  time.Time
	settings
	description string // of a version
	published   int    // the version with this revision, or 0
}

// An entry is a state machine in the registry. It is immutable once it is in the
// registry: see [Service.change].
type entry struct {
	current  *revision
	versions map[int]*revision
	latest   int // the number of the last version, which is not used again
	aliases  map[string]*alias
	tags     []Tag
	// published and description are those of the CreateStateMachine request, which are
	// compared for idempotency.
	published   bool
	description string
	// fromFile marks a state machine of [Service.Put], which is loaded from its own file.
	fromFile bool
	// deleting marks a state machine that waits for its executions to end: see
	// [Service.Delete].
	deleting bool
}

func (e *entry) clone() *entry {
	next := *e
	next.versions, next.aliases, next.tags = maps.Clone(e.versions), maps.Clone(e.aliases), slices.Clone(e.tags)
	return &next
}

// versionARN returns the ARN of a version.
func (e *entry) versionARN(number int) string { return e.current.arn + ":" + strconv.Itoa(number) }

// version returns the version that a qualifier names, with its number, or nil.
func (e *entry) version(qualifier string) (*revision, int) {
	n, err := strconv.Atoi(qualifier)
	if err != nil || strconv.Itoa(n) != qualifier {
		return nil, 0
	}
	return e.versions[n], n
}

// A target is what an ARN refers to: a revision, and the version and alias that led to
// it.
type target struct {
	*revision
	versionARN, aliasARN string
}

// find returns what a qualifier refers to, or no revision. Random, in [0, 1), chooses
// between the versions of an alias.
func (e *entry) find(qualifier string, random func() float64) target {
	if qualifier == "" {
		return target{revision: e.current}
	}
	if a := e.aliases[qualifier]; a != nil {
		n := a.choose(random)
		return target{e.versions[n], e.versionARN(n), a.arn}
	}
	if rev, n := e.version(qualifier); rev != nil {
		return target{revision: rev, versionARN: e.versionARN(n)}
	}
	return target{}
}

// publish makes the current revision the next version, if it is not one already, and
// returns that version's number.
func (e *entry) publish(description string, now time.Time) (int, *Error) {
	if e.current.published != 0 {
		return e.current.published, nil
	}
	if len(e.versions) == maxVersions {
		return 0, errorf(ServiceQuotaExceeded, "State machine version limit exceeded: %d", maxVersions)
	}
	e.latest++
	current := *e.current
	current.published = e.latest
	e.current = &current
	version := current
	version.description, version.created = description, now
	if e.versions == nil {
		e.versions = map[int]*revision{}
	}
	e.versions[e.latest] = &version
	return e.latest, nil
}

// change replaces a state machine by a copy that do has changed; after an error, it is
// unchanged. A change that cannot be stored has no effect.
func (s *Service) change(a arn, do func(e *entry) *Error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.machines[a.base]
	if e == nil {
		return doesNotExist(a.base)
	}
	next := e.clone()
	if err := do(next); err != nil {
		return err
	}
	return s.commit(next)
}

// amend is like change, but refuses a state machine that is being deleted.
func (s *Service) amend(a arn, do func(e *entry) *Error) error {
	return s.change(a, func(e *entry) *Error {
		if e.deleting {
			return isDeleting(a.base)
		}
		return do(e)
	})
}

// commit stores an entry and adds it to the registry, under the lock.
func (s *Service) commit(e *entry) error {
	if err := s.save(e); err != nil {
		return err
	}
	s.machines[e.current.arn] = e
	return nil
}

// get returns the state machine of an ARN, or nil.
func (s *Service) get(a arn) *entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.machines[a.base]
}

// Resolve returns the ARN of the state machine that a configuration refers to. A bare
// name belongs to the service's own account and region, as it belongs to the function's
// on AWS. If the state machine of an ARN in another account or region does not exist
// here, the service's own state machine of that name is used, so that a configuration for
// a stack also runs on a laptop.
func (s *Service) Resolve(name string) string {
	if name == "" {
		return ""
	}
	if !strings.Contains(name, ":") {
		return s.ARN(name)
	}
	a, err := parseARN(name)
	if err != nil || s.get(a) != nil {
		return name
	}
	own := a
	own.base = s.ARN(a.name)
	if s.get(own) == nil {
		return name
	}
	if own.testCase != "" {
		return own.full() + "#" + own.testCase
	}
	return own.full()
}

// lookup returns what a parsed ARN refers to, or AWS's error.
func (s *Service) lookup(a arn) (target, *Error) {
	if e := s.get(a); e != nil {
		t := e.find(a.qualifier, s.opts.Random)
		switch {
		case e.deleting:
			return target{}, isDeleting(a.full())
		case t.revision != nil:
			return t, nil
		}
	}
	return target{}, doesNotExist(a.full())
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
