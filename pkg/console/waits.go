package console

import (
	"net/http"
	"time"
)

// A Wait is a task of an execution that waits for its token.
type Wait struct {
	State string `json:"state"`
	// Token is a secret: anyone who has it can end the task.
	Token string    `json:"token"`
	Since time.Time `json:"since"`
	// HeartbeatSeconds is how long the task continues without a heartbeat; 0 is forever.
	HeartbeatSeconds float64 `json:"heartbeatSeconds,omitempty"`
}

// An Answer ends a task that waits, or keeps it waiting.
type Answer struct {
	Token string `json:"token"`
	// Action is success, failure or heartbeat.
	Action string `json:"action"`
	// Output is JSON text, for success; empty means {}. Error and Cause are for failure.
	Output string `json:"output"`
	Error  string `json:"error"`
	Cause  string `json:"cause"`
}

// The actions of an [Answer].
const (
	AnswerSuccess   = "success"
	AnswerFailure   = "failure"
	AnswerHeartbeat = "heartbeat"
)

func (c *Console) waits(e Execution) []Wait {
	list := c.o.Engine.Waits(e.ARN)
	if list == nil {
		list = []Wait{}
	}
	return list
}

func (c *Console) apiWaits(r *http.Request) (any, error) {
	e, err := c.execution(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"waits": c.waits(e)}, nil
}

// apiAnswer answers a token of this execution, and of no other.
func (c *Console) apiAnswer(r *http.Request) (any, error) {
	e, err := c.execution(r)
	if err != nil {
		return nil, err
	}
	var in Answer
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	switch in.Action {
	case AnswerSuccess, AnswerFailure, AnswerHeartbeat:
	default:
		return nil, refusal{http.StatusBadRequest, `"action" must be success, failure or heartbeat`}
	}
	if in.Action == AnswerSuccess && in.Output == "" {
		in.Output = "{}"
	}
	for _, w := range c.waits(e) {
		if w.Token == in.Token {
			if err := c.o.Engine.Answer(in); err != nil {
				return nil, err
			}
			return map[string]any{"state": w.State, "action": in.Action}, nil
		}
	}
	return nil, refusal{http.StatusConflict, "nothing in this execution waits for that token: it was answered, or has timed out"}
}
