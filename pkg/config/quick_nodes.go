package config

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A stock allocates values, and reclaims all of them at once.
type stock[T any] struct {
	blocks [][]T
	used   int // in the last block
	block  int
}

const stockBlock = 64

func (s *stock[T]) make() *T {
	if s.block == len(s.blocks) {
		s.blocks = append(s.blocks, make([]T, stockBlock))
	}
	v := &s.blocks[s.block][s.used]
	if s.used++; s.used == stockBlock {
		s.block, s.used = s.block+1, 0
	}
	return v
}

func (s *stock[T]) reset() { s.block, s.used = 0, 0 }

// quickNodes allocates nodes. Nodes, tokens and their lists are valid until reset.
type quickNodes struct {
	base      ast.BaseNode // shared by all nodes, because nothing in this package uses it
	tokens    stock[token.Token]
	positions stock[token.Position]
	texts     stock[ast.StringNode]
	integers  stock[ast.IntegerNode]
	bools     stock[ast.BoolNode]
	pairs     stock[ast.MappingValueNode]
	mappings  stock[ast.MappingNode]
	lists     stock[ast.SequenceNode]

	// The members of mappings and lists that are still being read, followed by those of
	// complete ones.
	openPairs []*ast.MappingValueNode
	openItems []ast.Node
	allPairs  []*ast.MappingValueNode
	allItems  []ast.Node
}

func (s *quickNodes) reset() {
	s.tokens.reset()
	s.positions.reset()
	s.texts.reset()
	s.integers.reset()
	s.bools.reset()
	s.pairs.reset()
	s.mappings.reset()
	s.lists.reset()
	s.openPairs, s.openItems = s.openPairs[:0], s.openItems[:0]
	s.allPairs, s.allItems = s.allPairs[:0], s.allItems[:0]
}

func (s *quickNodes) token(kind token.Type, value string, line, column, offset int) *token.Token {
	p := s.positions.make()
	*p = token.Position{Line: line, Column: column, Offset: offset}
	t := s.tokens.make()
	*t = token.Token{Type: kind, Value: value, Position: p}
	return t
}

func (s *quickNodes) text(value string, t *token.Token) *ast.StringNode {
	n := s.texts.make()
	*n = ast.StringNode{BaseNode: &s.base, Token: t, Value: value}
	return n
}

func (s *quickNodes) integer(t *token.Token) ast.Node {
	n := s.integers.make()
	v, _ := strconv.ParseUint(t.Value, 10, 64)
	*n = ast.IntegerNode{BaseNode: &s.base, Token: t, Value: v}
	return n
}

func (s *quickNodes) bool(value bool, t *token.Token) ast.Node {
	n := s.bools.make()
	*n = ast.BoolNode{BaseNode: &s.base, Token: t, Value: value}
	return n
}

func (s *quickNodes) pair(key *ast.StringNode, colon *token.Token, value ast.Node, flow bool) *ast.MappingValueNode {
	n := s.pairs.make()
	*n = ast.MappingValueNode{BaseNode: &s.base, Start: colon, Key: key, Value: value, IsFlowStyle: flow}
	return n
}

// mark and push collect the pairs of a mapping, which consists of all pairs since the mark. A
// duplicate key is left to the parser, which reports it.
func (s *quickNodes) mark() int { return len(s.openPairs) }

func (s *quickNodes) push(pair *ast.MappingValueNode, mark int) bool {
	for _, before := range s.openPairs[mark:] {
		if before.Key.(*ast.StringNode).Value == pair.Key.(*ast.StringNode).Value {
			return false
		}
	}
	s.openPairs = append(s.openPairs, pair)
	return true
}

func (s *quickNodes) mapping(start *token.Token, flow bool, mark int) ast.Node {
	from := len(s.allPairs)
	s.allPairs = append(s.allPairs, s.openPairs[mark:]...)
	s.openPairs = s.openPairs[:mark]
	n := s.mappings.make()
	*n = ast.MappingNode{BaseNode: &s.base, Start: start, IsFlowStyle: flow, Values: s.allPairs[from:len(s.allPairs):len(s.allPairs)]}
	return n
}

func (s *quickNodes) markItems() int      { return len(s.openItems) }
func (s *quickNodes) pushItem(n ast.Node) { s.openItems = append(s.openItems, n) }

func (s *quickNodes) list(start *token.Token, flow bool, mark int) ast.Node {
	from := len(s.allItems)
	s.allItems = append(s.allItems, s.openItems[mark:]...)
	s.openItems = s.openItems[:mark]
	n := s.lists.make()
	*n = ast.SequenceNode{BaseNode: &s.base, Start: start, IsFlowStyle: flow, Values: s.allItems[from:len(s.allItems):len(s.allItems)]}
	return n
}
