package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// The sizes of what is read page by page: a history, in turns of a loop, and a list, in
// executions.
const (
	pagedFrom  = 1500 // four times that is 24,000 events, nearly as many as there may be
	listedFrom = 1000
	keptFrom   = 500
)

func pages(what, unit string, from int) budget {
	return budget{what: fmt.Sprintf("Local engine with %d %s: %s", 4*from, unit, what), against: fmt.Sprintf("%d %s", from, unit), unit: "ms", limit: 5, grows: true}
}

var (
	budgetForward = pages("all pages of a history", "turns of a loop", pagedFrom)
	budgetReverse = pages("all pages of a history, the last event first", "turns of a loop", pagedFrom)
	budgetListed  = pages("all pages of a list of executions", "executions", listedFrom)
	budgetKept    = pages("an execution that is kept in a file", "turns of a loop", keptFrom)

	growingPages = []budget{budgetForward, budgetReverse, budgetListed, budgetKept}
)

// A pagedService has a state machine that loops.
type pagedService struct {
	*statesapi.Service
	arn string
}

func newPaged(folder string) (*pagedService, error) {
	s := &pagedService{Service: statesapi.New(statesapi.Options{})}
	if folder != "" {
		if err := s.Persist(folder); err != nil {
			return nil, err
		}
	}
	name, role, kind, definition := "loop", "arn:aws:iam::123456789012:role/bench", statesapi.Standard, repeats("", "")(0)
	_, err := s.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind})
	s.arn = s.ARN(name)
	return s, err
}

// loop runs an execution of n turns to its end, and returns its ARN.
func (s *pagedService) loop(n int) (string, error) {
	started, err := s.Start(statesapi.StartInput{StateMachineARN: &s.arn, Input: []byte(turns(n))})
	if err != nil {
		return "", err
	}
	one := int64(1)
	for {
		out, err := s.History(statesapi.HistoryInput{ExecutionARN: &started.ExecutionARN, ReverseOrder: true, MaxResults: &one})
		if err != nil {
			return "", err
		}
		switch last := slices.Concat(out.Events...); {
		case bytes.Contains(last, []byte(`"ExecutionSucceeded"`)):
			return started.ExecutionARN, nil
		case bytes.Contains(last, []byte(`"ExecutionFailed"`)):
			return "", fmt.Errorf("the loop failed: %s", last)
		}
		time.Sleep(time.Millisecond)
	}
}

// growthOfPages measures how the processor time of pages, and of files, grows with what they
// hold.
func (b *bench) growthOfPages(r *report) error {
	b.say("local engine: pages and files at two sizes")
	s, err := newPaged("")
	if err != nil {
		return err
	}
	defer func() { _ = s.Close(context.Background()) }()
	for _, reverse := range []bool{false, true} {
		few, err := s.history(pagedFrom, reverse)
		if err != nil {
			return err
		}
		many, err := s.history(growthTimes*pagedFrom, reverse)
		if err != nil {
			return err
		}
		c, err := inLongTurns(few, many)
		if err != nil {
			return err
		}
		r.add(map[bool]budget{false: budgetForward, true: budgetReverse}[reverse], c)
	}
	return b.growthOfLists(r)
}

// history returns a function that reads all pages of an execution.
func (s *pagedService) history(n int, reverse bool) (func() error, error) {
	arn, err := s.loop(n)
	if err != nil {
		return nil, err
	}
	return func() error {
		events := 0
		in := statesapi.HistoryInput{ExecutionARN: &arn, ReverseOrder: reverse}
		for {
			out, err := s.History(in)
			if err != nil {
				return err
			}
			events += len(out.Events)
			if in.NextToken = &out.NextToken; out.NextToken == "" {
				break
			}
		}
		if events < 4*n {
			return fmt.Errorf("%d events of %d turns", events, n)
		}
		return nil
	}, nil
}

// growthOfLists measures lists of executions, and the files of executions.
func (b *bench) growthOfLists(r *report) error {
	var list, keep [2]func() error
	for i := range list {
		s, err := newPaged("")
		if err != nil {
			return err
		}
		defer func() { _ = s.Close(context.Background()) }()
		if list[i], err = s.list(listedFrom << (2 * i)); err != nil {
			return err
		}
	}
	lists, err := inLongTurns(list[0], list[1])
	if err != nil {
		return err
	}
	r.add(budgetListed, lists)
	folder := filepath.Join(b.dir, "executions")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	s, err := newPaged(folder)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close(context.Background()) }()
	for i := range keep {
		keep[i] = func() error {
			_, err := s.loop(keptFrom << (2 * i))
			return err
		}
	}
	files, err := inLongTurns(keep[0], keep[1])
	if err != nil {
		return err
	}
	r.add(budgetKept, files)
	return nil
}

// list returns a function that reads all pages of n executions.
func (s *pagedService) list(n int) (func() error, error) {
	for range n {
		if _, err := s.loop(0); err != nil {
			return nil, err
		}
	}
	api := statesAPI{statesapi.NewHandler(s.Service, statesapi.HandlerOptions{})}
	return func() error {
		listed := 0
		for token := ""; ; {
			request := map[string]any{"stateMachineArn": s.arn}
			if token != "" {
				request["nextToken"] = token
			}
			var page struct {
				Executions []json.RawMessage
				NextToken  string
			}
			if err := api.call(context.Background(), "ListExecutions", request, &page); err != nil {
				return err
			}
			listed += len(page.Executions)
			if token = page.NextToken; token == "" {
				break
			}
		}
		if listed != n {
			return fmt.Errorf("%d executions are listed, want %d", listed, n)
		}
		return nil
	}, nil
}
