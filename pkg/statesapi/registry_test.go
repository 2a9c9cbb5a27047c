package statesapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A registryModel says what versions and aliases of one state machine must be, after
// whatever was done with it.
type registryModel struct {
	service *Service
	dir     string
	arn     string
	// Definitions are by number; 0 stands for no version where one is named.
	current, published, latest int
	versions                   map[int]int
	aliases                    map[string][]weighted
}

func numbered(n int) string {
	return fmt.Sprintf(`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": %d, "End": true}}}`, n)
}

// restart is what happens to the state machine when the program starts again.
func (m *registryModel) restart(t *rapid.T) {
	if m.dir == "" && m.service != nil {
		return
	}
	if m.service != nil {
		if err := m.service.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	m.service = New(Options{})
	if m.dir == "" {
		return
	}
	if err := m.service.Persist(m.dir); err != nil {
		t.Fatal(err)
	}
}

func wantCodeOf(t *rapid.T, err error, want Code) {
	var e *Error
	if errors.As(err, &e); err != nil && e == nil || e != nil && e.Code != want || err == nil && want != "" {
		t.Fatalf("error = %v, want %q", err, want)
	}
}

func (m *registryModel) update(t *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(t, "definition")
	_, err := m.service.update(updateInput{StateMachineARN: &m.arn, Definition: ptr(numbered(n))})
	wantCodeOf(t, err, "")
	if n != m.current {
		m.current, m.published = n, 0
	}
}

func (m *registryModel) publish(t *rapid.T) {
	out, err := m.service.publishVersion(publishInput{StateMachineARN: &m.arn})
	wantCodeOf(t, err, "")
	if m.published == 0 {
		m.latest++
		m.published = m.latest
		m.versions[m.latest] = m.current
	}
	if want := fmt.Sprintf("%s:%d", m.arn, m.published); out.StateMachineVersionARN != want {
		t.Fatalf("version = %s, want %s", out.StateMachineVersionARN, want)
	}
}

func (m *registryModel) deleteVersion(t *rapid.T) {
	n := rapid.IntRange(1, m.latest+1).Draw(t, "version")
	err := m.service.deleteVersion(deleteVersionInput{ptr(fmt.Sprintf("%s:%d", m.arn, n))})
	for _, routes := range m.aliases {
		if slices.ContainsFunc(routes, func(r weighted) bool { return r.version == n }) {
			wantCodeOf(t, err, ConflictException)
			return
		}
	}
	wantCodeOf(t, err, "")
	delete(m.versions, n)
	if m.published == n {
		m.published = 0
	}
}

// routes draws a routing configuration, and what refuses it.
func (m *registryModel) routes(t *rapid.T) (list []routingItem, routes []weighted, refused Code) {
	routes = []weighted{{rapid.IntRange(1, m.latest+1).Draw(t, "first"), 100}}
	if second := rapid.IntRange(0, m.latest).Draw(t, "second"); second > 0 {
		routes[0].weight = rapid.IntRange(0, 100).Draw(t, "weight")
		routes = append(routes, weighted{second, 100 - routes[0].weight})
	}
	for _, r := range routes {
		if _, there := m.versions[r.version]; !there {
			refused = ResourceNotFound
		}
		list = append(list, routingItem{ptr(fmt.Sprintf("%s:%d", m.arn, r.version)), ptr(int64(r.weight))})
	}
	if len(routes) == 2 && routes[0].version == routes[1].version {
		refused = ValidationException
	}
	return list, routes, refused
}

func (m *registryModel) setAlias(t *rapid.T) {
	name := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name")
	list, routes, refused := m.routes(t)
	old, there := m.aliases[name]
	var err error
	if rapid.Bool().Draw(t, "create") {
		_, err = m.service.createAlias(createAliasInput{Name: &name, Routes: list})
		if refused == "" && there && !slices.Equal(old, routes) {
			refused = ConflictException
		}
	} else {
		_, err = m.service.updateAlias(updateAliasInput{StateMachineAliasARN: ptr(m.arn + ":" + name), Routes: list})
		if !there && refused == "" {
			refused = ResourceNotFound
		}
	}
	wantCodeOf(t, err, refused)
	if refused == "" {
		m.aliases[name] = routes
	}
}

func (m *registryModel) deleteAlias(t *rapid.T) {
	name := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name")
	wantCodeOf(t, m.service.deleteAlias(aliasInput{ptr(m.arn + ":" + name)}), "")
	delete(m.aliases, name)
}

// check compares what the API returns about the state machine.
func (m *registryModel) check(t *rapid.T) {
	want := map[string]string{m.arn: numbered(m.current)}
	for n, definition := range m.versions {
		want[fmt.Sprintf("%s:%d", m.arn, n)] = numbered(definition)
	}
	got := map[string]string{}
	list, err := m.service.listVersions(listVersionsInput{StateMachineARN: &m.arn})
	wantCodeOf(t, err, "")
	arns := []string{m.arn}
	for _, v := range list.Versions {
		arns = append(arns, v.StateMachineVersionARN)
	}
	for _, text := range arns {
		out, err := m.service.Describe(DescribeInput{StateMachineARN: &text})
		wantCodeOf(t, err, "")
		got[text] = out.Definition
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	aliases, err := m.service.listAliases(listAliasesInput{StateMachineARN: &m.arn})
	wantCodeOf(t, err, "")
	if len(aliases.Aliases) != len(m.aliases) {
		t.Fatalf("aliases = %v, want %v", aliases.Aliases, slices.Sorted(maps.Keys(m.aliases)))
	}
	for name, routes := range m.aliases {
		out, err := m.service.describeAlias(aliasInput{ptr(m.arn + ":" + name)})
		wantCodeOf(t, err, "")
		for i, r := range out.Routes {
			if !strings.HasSuffix(*r.StateMachineVersionARN, fmt.Sprintf(":%d", routes[i].version)) || *r.Weight != int64(routes[i].weight) {
				t.Fatalf("%s = %v, want %v", name, out.Routes, routes)
			}
		}
	}
}

// Version numbers are never reused, and versions never change and exist as long as an alias
// routes to them, whatever the order of operations, including restarts of the program.
func TestRegistryModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &registryModel{current: 1, versions: map[int]int{}, aliases: map[string][]weighted{}}
		if rapid.IntRange(0, 9).Draw(rt, "kept") == 0 { // which takes the time that disks take
			m.dir = t.TempDir()
		}
		m.restart(rt)
		made, err := m.service.Create(CreateInput{Name: ptr("m"), Definition: ptr(numbered(1)), RoleARN: ptr(roleARN)})
		wantCodeOf(rt, err, "")
		m.arn = made.StateMachineARN
		rt.Repeat(map[string]func(*rapid.T){
			"": m.check, "update": m.update, "publish": m.publish, "delete version": m.deleteVersion,
			"set alias": m.setAlias, "delete alias": m.deleteAlias, "restart": m.restart,
		})
	})
}
