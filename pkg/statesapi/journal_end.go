package statesapi

import (
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A storedEnd is the end of an execution that a task of another one waits for. Its file
// stays until that task has recorded the end, which would otherwise be lost if the process
// were killed in between.
type storedEnd struct {
	Status  bridge.Status   `json:"status"`
	Output  json.RawMessage `json:"output,omitempty"`
	Error   string          `json:"error,omitempty"`
	Cause   string          `json:"cause,omitempty"`
	Stopped time.Time       `json:"stopped"`
}

// taskOf splits the key of a task: its execution, and the path of its flow.
func taskOf(key string) (executionARN, path string) {
	executionARN, _, _ = strings.Cut(key, "/")
	path = key[len(executionARN):]
	return executionARN, path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// endJournal ends the file of an execution.
func (s *Service) endJournal(x *execution) {
	if x.journal == nil || x.startedBy == "" {
		x.journal.end()
		return
	}
	executionARN, path := taskOf(x.startedBy)
	var outer *journal
	s.runMu.Lock()
	if waits := s.names.byARN[executionARN]; waits != nil && !waits.ended {
		outer = waits.journal
	}
	s.runMu.Unlock()
	if outer == nil || !x.journal.leave(x.record) {
		x.journal.end()
		return
	}
	outer.removeAfter(path, x.journal.file.Name())
}

// leave writes the end of the execution to the file, which stays, and reports whether it is
// there.
func (j *journal) leave(r ExecutionRecord) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.frozen {
		return false
	}
	j.write(journalLine{End: &storedEnd{r.Status, r.Output, r.Error, r.Cause, r.StopDate}})
	if j.err != nil {
		return false
	}
	_ = j.file.Close()
	j.frozen = true
	return true
}

// removeAfter removes the file of another execution once the flow at a path has continued.
func (j *journal) removeAfter(path, file string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.over:
		_ = os.Remove(file) // one that stays is removed by the next process
	case !j.frozen: // else the next process removes it
		if j.children == nil {
			j.children = map[string][]string{}
		}
		j.children[path] = append(j.children[path], file)
	}
}

// goneOn removes the files of executions that the flow at a path waited for. The caller
// holds j.mu.
func (j *journal) goneOn(path string) {
	if j.frozen || j.err != nil {
		return
	}
	for _, file := range j.children[path] {
		_ = os.Remove(file)
	}
	delete(j.children, path)
}

// restoreEnd passes the end of an execution to the task that waits for it, if that task
// exists. Otherwise, the file is useless.
func (s *Service) restoreEnd(u *unfinished, outer *unfinished, path string) {
	if outer == nil || outer.end != nil {
		_ = os.Remove(u.file)
		return
	}
	r := u.x.record
	r.Status, r.Output, r.Error, r.Cause, r.StopDate = u.end.Status, u.end.Output, u.end.Error, u.end.Cause, u.end.Stopped
	s.runMu.Lock()
	s.children[u.x.startedBy] = &started{record: r, target: u.x.target, ended: true}
	s.runMu.Unlock()
	outer.x.journal.removeAfter(path, u.file)
}
