package template

import (
	"cmp"
	"fmt"
)

// A Pos is a place in a file; lines and columns count from 1.
type Pos struct {
	File         string
	Line, Column int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Compare orders places by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Kind is the kind of a [Node] or a [Value].
type Kind uint8

// The kinds. Only values can be Unknown.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
	Unknown
)

// A Node is a piece of a template as it is written. Short tags are converted to their
// long form: !Ref X is a map from Ref to X.
type Node struct {
	Kind    Kind
	Text    string // for Bool (true or false), Number (as written) and String
	Items   []*Node
	Members []Member
	Pos     Pos
	// Anchored marks a node to which other places refer by an alias.
	Anchored bool

	index map[string]int // of the members, if there are many
}

// A Member is one key of a map and its value.
type Member struct {
	Name  string
	Key   Pos
	Value *Node
}

// Get returns the value of a member, or nil.
func (n *Node) Get(path ...string) *Node {
	for _, name := range path {
		m := n.Member(name)
		if m == nil {
			return nil
		}
		n = m.Value
	}
	return n
}

// Member returns a member of a map, or nil.
func (n *Node) Member(name string) *Member {
	if n == nil || n.Kind != Map {
		return nil
	}
	if len(n.Members) > 32 {
		if n.index == nil {
			n.index = make(map[string]int, len(n.Members))
			for i := range n.Members {
				n.index[n.Members[i].Name] = i
			}
		}
		if i, ok := n.index[name]; ok {
			return &n.Members[i]
		}
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Name == name {
			return &n.Members[i]
		}
	}
	return nil
}

// A Problem is a mistake in a template itself.
type Problem struct {
	Pos
	Message string
	// Note says that something is merely unknown.
	Note bool
}

func (p Problem) String() string { return p.Pos.String() + ": " + p.Message }
