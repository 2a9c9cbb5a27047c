package statesapi

import (
	"encoding/base64"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"
)

// A ListInput is the request of [Service.List]; a nil member was not sent.
type ListInput struct {
	// MaxResults is at most 1000; nil and 0 mean 100.
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
// ([ListStateMachines]). A page continues after the previous one's last place, whatever
// was created or deleted in between.
//
// [ListStateMachines]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html
func (s *Service) List(in ListInput) (*ListOutput, error) {
	var c constraints
	c.page(in.MaxResults, in.NextToken, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	arns := s.arns()
	s.mu.RUnlock()
	arns, next, err := page(arns, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ListOutput{StateMachines: make([]ListItem, 0, len(arns)), NextToken: next}
	for _, a := range arns {
		if e := s.get(arn{base: a}); e != nil { // not deleted in the meantime
			rev := e.current
			out.StateMachines = append(out.StateMachines, ListItem{rev.arn, rev.name, rev.kind, epoch(rev.created)})
		}
	}
	return out, nil
}

// page returns the page of a list for a token, and the token of the next page, which is
// "" after the last. The list is sorted; a page continues after the previous one's last
// place.
func page(list []string, maxResults *int64, token *string) (items []string, next string, _ *Error) {
	from, to, next, err := pageOf(len(list), func(i int) string { return list[i] }, maxResults, token)
	return list[from:to], next, err
}

// pageOf is page for a list of n items whose sort keys are made when they are needed.
func pageOf(n int, key func(int) string, maxResults *int64, token *string) (from, to int, next string, _ *Error) {
	if token != nil {
		after, err := readToken(*token)
		if err != nil {
			return 0, 0, "", err
		}
		from = sort.Search(n, func(i int) bool { return key(i) > after })
	}
	to = n
	if size := pageSize(maxResults); n-from > size {
		to = from + size
		next = pageToken(key(to - 1))
	}
	return from, to, next, nil
}

// latestFirst returns a key prefix that sorts later times before earlier ones.
func latestFirst(t time.Time) string { return fmt.Sprintf("%020d", math.MaxInt64-t.UnixNano()) }

func pageSize(maxResults *int64) int {
	if maxResults == nil || *maxResults == 0 {
		return 100
	}
	return int(*maxResults)
}

// pageToken returns the token of the page after a place, which readToken decodes.
func pageToken(place string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + place))
}

func readToken(token string) (string, *Error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	place, marked := strings.CutPrefix(string(text), tokenMark)
	if err != nil || !marked {
		return "", errInvalidToken()
	}
	return place, nil
}

// tokenMark distinguishes our tokens from other base64.
const tokenMark = "after "
