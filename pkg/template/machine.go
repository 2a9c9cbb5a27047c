package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Machine is a state machine of a template.
type Machine struct {
	*Resource
	// Kind is STANDARD or EXPRESS; empty if it is not known.
	Kind string
	// Definition is the definition as JSON, with its substitutions made; it is nil if Err
	// is set.
	Definition []byte
	Err        error
	// Remote means that the definition is an object in S3, which is not read.
	Remote bool
	// Unknown lists the unknown parts of the definition, which are replaced by the text
	// "unknown".
	Unknown []string
	// Source is the file that contains the definition: the template, or a separate file.
	Source string

	tree *Node // of a definition in YAML or inline, for places; otherwise nil
	text bool  // the definition is exactly the bytes of Source, so its places are those in the file
}

const (
	samMachine = "AWS::Serverless::StateMachine"
	cfnMachine = "AWS::StepFunctions::StateMachine"
)

// Machines returns the state machines, in the order of the file.
func (t *Template) Machines() []*Machine {
	var out []*Machine
	for _, r := range t.Of(samMachine, cfnMachine) {
		out = append(out, t.machine(r))
	}
	return out
}

func (t *Template) machine(r *Resource) *Machine {
	m := &Machine{Resource: r, Source: t.File}
	kind := r.Get("Type")
	if r.Type == cfnMachine {
		kind = r.Get("StateMachineType")
	}
	switch s, known := kind.String(); {
	case kind == nil:
		m.Kind = "STANDARD"
	case known && (s == "STANDARD" || s == "EXPRESS"):
		m.Kind = s
	}
	m.Err = m.define()
	return m
}

// Logging returns the machine's logging configuration, or nil.
func (m *Machine) Logging() *Value {
	if m.Type == samMachine {
		return m.Get("Logging")
	}
	return m.Get("LoggingConfiguration")
}

// Place returns where a JSON pointer of the definition is written. The column is that of
// the nearest known place.
func (m *Machine) Place(pointer string, line, column int) Pos {
	if m.text {
		return Pos{m.Source, line, column}
	}
	if m.tree == nil {
		return m.DefinitionPos()
	}
	pos, n := m.tree.Pos, m.tree
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if member := n.Member(token); member != nil {
			pos, n = member.Key, member.Value
			continue
		}
		var i int
		if _, err := fmt.Sscanf(token, "%d", &i); err != nil || n.Kind != List || i < 0 || i >= len(n.Items) {
			break
		}
		n = n.Items[i]
		pos = n.Pos
	}
	return pos
}

// DefinitionPos returns the place of the property that has the definition.
func (m *Machine) DefinitionPos() Pos {
	for _, name := range []string{"DefinitionString", "Definition", "DefinitionUri", "DefinitionS3Location"} {
		if m.Get(name) != nil {
			return m.At(name)
		}
	}
	return m.Pos
}

func (m *Machine) define() error {
	substitutions := m.substitutions()
	for _, name := range []string{"Definition", "DefinitionString", "DefinitionUri", "DefinitionS3Location"} {
		v := m.Get(name)
		if v == nil || v.Kind == Null {
			continue
		}
		switch {
		case v.Kind == Unknown:
			m.Remote = true
			return fmt.Errorf("the definition of %s is not known: %s", m.ID, v.Why)
		case name == "Definition":
			m.tree = m.Node.Get("Properties", name)
			m.Unknown = v.Reasons()
			return m.use(substitute(string(v.JSON()), substitutions))
		case name == "DefinitionString":
			m.Unknown = v.Reasons()
			s, _ := v.String()
			return m.use(substitute(strings.ReplaceAll(s, string(hole), "unknown"), substitutions))
		case v.Kind == Map:
			m.Remote = true
			return fmt.Errorf("the definition of %s is an object in S3, which is not read", m.ID)
		}
		path, known := v.String()
		if !known || strings.HasPrefix(path, "s3://") {
			m.Remote = true
			return fmt.Errorf("the definition of %s is an object in S3, which is not read", m.ID)
		}
		return m.readFile(path, substitutions)
	}
	return fmt.Errorf("the state machine %s has no definition", m.ID)
}

func (m *Machine) substitutions() map[string]string {
	out := map[string]string{}
	v := m.Get("DefinitionSubstitutions")
	if v == nil {
		return out
	}
	for _, s := range v.Members {
		text, known := s.Value.String()
		if !known {
			m.Unknown = append(m.Unknown, fmt.Sprintf("${%s}: %s", s.Name, reason(s.Value, "its value")))
		}
		if text == "" && !known {
			text = "unknown"
		}
		out[s.Name] = strings.ReplaceAll(text, string(hole), "unknown")
	}
	return out
}

// substitute replaces ${NAME} in a text for the given names. As in the service, this
// happens before the text is parsed.
func substitute(text string, names map[string]string) string {
	if len(names) == 0 {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := names[name]
		if !closed || !known {
			b.WriteString("${")
			text = rest
			continue
		}
		if b.Len()+len(value) > maxText {
			return b.String()
		}
		b.WriteString(value)
		text = after
	}
}

func (m *Machine) readFile(name string, substitutions map[string]string) error {
	path := filepath.Join(filepath.Dir(m.template.File), filepath.FromSlash(name))
	if filepath.IsAbs(name) {
		path = name
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("the definition of %s: there is no file %s", m.ID, path)
	}
	if info.Size() > maxFile {
		return fmt.Errorf("the definition of %s: %s has more than %d bytes", m.ID, path, maxFile)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the definition of %s: %w", m.ID, err)
	}
	m.Source = path
	text := substitute(string(source), substitutions)
	if strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") {
		n, err := Parse(path, []byte(text))
		if err != nil {
			return err
		}
		m.tree = n
		m.Definition = plainValue(n).JSON()
		return nil
	}
	// Mistakes in a JSON file are reported better by its own parser.
	m.text = true
	m.Definition = []byte(text)
	return nil
}

// plainValue returns a node as it is written: a definition has no intrinsic functions.
func plainValue(n *Node) *Value {
	v := &Value{Kind: n.Kind, Text: n.Text, Pos: n.Pos}
	for _, item := range n.Items {
		v.Items = append(v.Items, plainValue(item))
	}
	for _, m := range n.Members {
		v.Members = append(v.Members, ValueMember{m.Name, m.Key, plainValue(m.Value)})
	}
	return v
}

// use uses a definition that is written in the template.
func (m *Machine) use(text string) error {
	m.Definition = []byte(text)
	var compact bytes.Buffer
	if err := json.Compact(&compact, m.Definition); err != nil {
		return fmt.Errorf("the definition of %s is not JSON after its substitutions: %w", m.ID, err)
	}
	return nil
}
