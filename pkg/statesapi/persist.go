package statesapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// dataSuffix is the suffix of the files of [Service.Persist].
const dataSuffix = ".machine.json"

// A storedMachine is a state machine in a file.
type storedMachine struct {
	Format      int                     `json:"format"`
	Current     storedRevision          `json:"current"`
	Latest      int                     `json:"latestVersion,omitempty"`
	Versions    map[int]*storedRevision `json:"versions,omitempty"`
	Aliases     []storedAlias           `json:"aliases,omitempty"`
	Tags        []Tag                   `json:"tags,omitempty"`
	Publish     bool                    `json:"publish,omitempty"`
	Description string                  `json:"description,omitempty"`
	FromFile    bool                    `json:"fromFile,omitempty"`
}

type storedRevision struct {
	ARN         string          `json:"arn"`
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	RoleARN     string          `json:"roleArn"`
	RevisionID  string          `json:"revisionId,omitempty"`
	Definition  string          `json:"definition"`
	Created     time.Time       `json:"created"`
	Logging     json.RawMessage `json:"logging,omitempty"`
	Tracing     json.RawMessage `json:"tracing,omitempty"`
	Encryption  json.RawMessage `json:"encryption,omitempty"`
	Description string          `json:"description,omitempty"`
	Published   int             `json:"published,omitempty"`
}

type storedAlias struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Routes      []storedRoute `json:"routes"`
	Created     time.Time     `json:"created"`
	Updated     time.Time     `json:"updated"`
}

type storedRoute struct {
	Version int `json:"version"`
	Weight  int `json:"weight"`
}

// storedFormat is the version of the format above.
const storedFormat = 1

// Persist loads the state machines in a folder. From then on, it stores in the folder, in
// one file each, the state machines that are created through the API, with their versions,
// aliases and tags, and the running STANDARD executions, which [Service.GoOn] continues in
// another process. All activities are in one file. The folder is created if it does not
// exist, and locked until [Service.Close]; if another process uses it, the error names that
// process. If a file cannot be read, the error names it, and none is loaded. Persist must
// be called once, before any state machine exists; a later [Service.Put] replaces a state
// machine of the same name.
func (s *Service) Persist(dir string) error {
	locked, err := openFolder(dir)
	if err != nil {
		return err
	}
	if err := s.readFolder(dir); err != nil {
		return errors.Join(err, locked.close())
	}
	list, err := s.readExecutions(dir)
	if err == nil {
		err = s.readActivities(dir)
	}
	if err != nil {
		return errors.Join(err, locked.close())
	}
	s.takeOver(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folder = locked
	return nil
}

func (s *Service) readFolder(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"+dataSuffix))
	if err != nil {
		return fmt.Errorf("keep state machines in %s: %w", dir, err)
	}
	machines := map[string]*entry{}
	var problems []error
	for _, file := range files {
		e, err := s.restore(file)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
			continue
		}
		machines[e.current.arn] = e
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machines, s.data = machines, dir
	return nil
}

func (s *Service) restore(file string) (*entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m storedMachine
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("not a stored state machine: %w", err)
	}
	if m.Format != storedFormat {
		return nil, fmt.Errorf("stored in format %d, but this version reads only %d", m.Format, storedFormat)
	}
	e := &entry{
		latest: m.Latest, versions: map[int]*revision{}, aliases: map[string]*alias{}, tags: m.Tags,
		published: m.Publish, description: m.Description, fromFile: m.FromFile,
	}
	if e.current, err = s.restoreRevision(m.Current); err != nil {
		return nil, err
	}
	for n, stored := range m.Versions {
		if stored == nil || n < 1 || n > m.Latest {
			return nil, fmt.Errorf("version %d cannot exist", n)
		}
		if e.versions[n], err = s.restoreRevision(*stored); err != nil {
			return nil, fmt.Errorf("version %d: %w", n, err)
		}
	}
	for _, t := range m.Tags {
		if t.Key == nil || t.Value == nil {
			return nil, errors.New("a tag has no key or no value")
		}
	}
	return e, e.restoreAliases(m.Aliases)
}

func (e *entry) restoreAliases(list []storedAlias) error {
	for _, stored := range list {
		a := &alias{stored.Name, e.current.arn + ":" + stored.Name, stored.Description, nil, stored.Created, stored.Updated}
		for _, r := range stored.Routes {
			if e.versions[r.Version] == nil {
				return fmt.Errorf("the alias %q routes to version %d, which does not exist", a.name, r.Version)
			}
			a.routes = append(a.routes, weighted{r.Version, r.Weight})
		}
		if len(a.routes) == 0 {
			return fmt.Errorf("the alias %q routes to nothing", a.name)
		}
		e.aliases[a.name] = a
	}
	return nil
}

func (s *Service) restoreRevision(r storedRevision) (*revision, error) {
	if a, err := parseARN(r.ARN); err != nil || a.base != r.ARN || a.name != r.Name {
		return nil, fmt.Errorf("the ARN %q is not one of a state machine %q", r.ARN, r.Name)
	}
	if r.Type != Express && r.Type != Standard {
		return nil, fmt.Errorf("the type %q is neither %s nor %s", r.Type, Express, Standard)
	}
	machine, invalid := s.parse(r.Definition, r.Type)
	if invalid != nil {
		return nil, invalid
	}
	rev := &revision{
		arn: r.ARN, name: r.Name, kind: r.Type, roleARN: r.RoleARN, id: r.RevisionID, definition: r.Definition, machine: machine,
		created: r.Created, description: r.Description, published: r.Published,
	}
	for text, o := range map[*json.RawMessage]**jsonata.Object{&r.Logging: &rev.logging, &r.Tracing: &rev.tracing, &r.Encryption: &rev.encryption} {
		if len(*text) == 0 {
			continue
		}
		v, err := jsonata.Decode(*text)
		if err != nil {
			return nil, err
		}
		object, ok := jsonata.Force(v).(*jsonata.Object)
		if !ok {
			return nil, errors.New("a configuration is not an object")
		}
		*o = object
	}
	rev.settings = rev.withDefaults()
	return rev, nil
}

// save writes an entry, if entries are kept. An entry from a definition file is not
// written unless the API has added to it.
func (s *Service) save(e *entry) error {
	if s.data == "" {
		return nil
	}
	if e.deleting || e.fromFile && len(e.versions)+len(e.aliases)+len(e.tags)+e.latest == 0 {
		return s.remove(e.current.arn)
	}
	text, err := json.Marshal(store(e))
	if err == nil {
		err = writeFile(s.dataFile(e.current.arn), text)
	}
	if err != nil {
		return fmt.Errorf("keep state machine: %w", err)
	}
	return nil
}

// remove deletes the file of a state machine, if it has one.
func (s *Service) remove(base string) error {
	if s.data == "" {
		return nil
	}
	if err := os.Remove(s.dataFile(base)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete state machine: %w", err)
	}
	return nil
}

// dataFile returns the path of an entry's file. It consists of the name, for people, and
// a hash of the ARN, because names may only differ in the case of a letter, which some
// file systems ignore.
func (s *Service) dataFile(base string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, base[strings.LastIndexByte(base, ':')+1:])
	sum := sha256.Sum256([]byte(base))
	return filepath.Join(s.data, name+"."+hex.EncodeToString(sum[:6])+dataSuffix)
}

// writeFile replaces a file by its complete new contents, or leaves it unchanged.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the incomplete file is useless
	}
	return err
}

func store(e *entry) storedMachine {
	m := storedMachine{
		Format: storedFormat, Current: storeRevision(e.current), Latest: e.latest, Tags: e.tags,
		Publish: e.published, Description: e.description, FromFile: e.fromFile,
	}
	for n, rev := range e.versions {
		if m.Versions == nil {
			m.Versions = map[int]*storedRevision{}
		}
		stored := storeRevision(rev)
		m.Versions[n] = &stored
	}
	for _, a := range e.aliases {
		stored := storedAlias{Name: a.name, Description: a.description, Created: a.created, Updated: a.updated}
		for _, r := range a.routes {
			stored.Routes = append(stored.Routes, storedRoute{r.version, r.weight})
		}
		m.Aliases = append(m.Aliases, stored)
	}
	slices.SortFunc(m.Aliases, func(a, b storedAlias) int { return strings.Compare(a.Name, b.Name) })
	return m
}

func storeRevision(r *revision) storedRevision {
	return storedRevision{
		ARN: r.arn, Name: r.name, Type: r.kind, RoleARN: r.roleARN, RevisionID: r.id, Definition: r.definition, Created: r.created,
		Logging: rawObject(r.logging), Tracing: rawObject(r.tracing), Encryption: rawObject(r.encryption),
		Description: r.description, Published: r.published,
	}
}

// rawObject encodes an object that was decoded from JSON, which cannot fail.
func rawObject(o *jsonata.Object) json.RawMessage {
	if o == nil {
		return nil
	}
	text, _ := jsonata.AppendJSON(nil, o)
	return text
}
