package bridge

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Resume describes how the deliveries of a route complete a task that waits with
// .waitForTaskToken. It has Token or Lookup.
type Resume struct {
	// Token yields the task token.
	Token *Template
	// Lookup finds the token in an item that the workflow wrote before it waited.
	Lookup *Lookup
	// Secret yields the value that is compared with the item's SecretAttribute, for links
	// that are the credential.
	Secret *Template
	// A heartbeat is sent if Heartbeat is true, and a failure if Fail is; a nil template
	// is never true. Otherwise the task succeeds.
	Heartbeat, Fail *Template
	// Error and Cause describe the failure; a nil template sends none.
	Error, Cause *Template
	// Output makes the task's output; nil means [Delivery.DefaultInput].
	Output *Template
}

// A Lookup describes where a task token is stored.
type Lookup struct {
	Table string
	Key   *Template
	// KeyAttribute is the table's partition key, and TokenAttribute holds the token.
	KeyAttribute, TokenAttribute string
	// SecretAttribute holds what the link must carry; if it is empty, nothing is
	// compared.
	SecretAttribute string
	// Grace is how long an item may be missing: a webhook can be faster than the
	// workflow's own write.
	Grace time.Duration
}

// An Action is an operation on a waiting task.
type Action string

// The actions: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.
const (
	TaskSucceeds  Action = "success"
	TaskFails     Action = "failure"
	TaskHeartbeat Action = "heartbeat"
)

// A Resumption is one request to complete a task, or to keep it waiting.
type Resumption struct {
	// Token is a secret, of 1 to 2048 characters.
	Token  string
	Action Action
	// Output is JSON text; it is sent with success.
	Output json.RawMessage
	// Error has at most 256 characters and Cause at most 32768; they
	// are sent with failure.
	Error, Cause string
}

// The limits of a [Resumption], in bytes. Step Functions counts characters, which are
// never more than the bytes.
const (
	maxToken      = 2048
	maxErrorName  = 256
	maxErrorCause = 32768
)

// A Resumer completes waiting tasks. It repeats requests that may have been accepted,
// because the token makes that harmless. An error is always a *[Failure], among them
// [BadToken], [TaskGone] and [Unknown]. Implementations are safe for concurrent use and
// honour the context's deadline.
type Resumer interface {
	Resume(ctx context.Context, r Resumption) error
}

// A WaitTable finds the items of waiting workflows. Implementations are safe for
// concurrent use; any error means that nothing is known.
type WaitTable interface {
	// Item returns the item's text attributes, by a consistent read; found is false if
	// there is no item. The key is a string or a json.Number.
	Item(ctx context.Context, table, keyAttribute string, key any) (attributes map[string]string, found bool, err error)
}

// resume completes the task that a delivery is about.
func (b *Bridge) resume(ctx context.Context, d *Delivery, scope *Scope) Result {
	resumption, err := b.resumption(ctx, d, scope)
	if err == nil {
		if b.resumer == nil {
			err = NewFailure(Misconfigured, "the route resumes tasks, but there is no client to resume them", nil)
		} else {
			err = b.resumer.Resume(ctx, resumption)
		}
	}
	if err != nil {
		return Result{Failure: unstarted(ctx, err)}
	}
	return Result{Resumed: resumption.Action}
}

// resumption finds the token, and evaluates what is sent with it.
func (b *Bridge) resumption(ctx context.Context, d *Delivery, scope *Scope) (r Resumption, err error) {
	rule := d.Route.Resume
	if r.Token, err = b.token(ctx, d, scope); err != nil {
		return r, err
	}
	if d.Redact != nil {
		d.Redact(r.Token)
	}
	b.step(ctx, d, "token", r.Token)
	if on, err := flag(ctx, rule.Heartbeat, scope); err != nil {
		return r, err
	} else if on {
		r.Action = TaskHeartbeat
		return r, nil
	}
	if on, err := flag(ctx, rule.Fail, scope); err != nil {
		return r, err
	} else if on {
		r.Action = TaskFails
		if r.Error, err = short(ctx, rule.Error, scope, maxErrorName); err != nil {
			return r, err
		}
		r.Cause, err = short(ctx, rule.Cause, scope, maxErrorCause)
		return r, err
	}
	r.Action = TaskSucceeds
	r.Output, err = b.value(ctx, d, scope, rule.Output, "output")
	return r, err
}

// flag evaluates a template that yields true or false; a nil template is false.
func flag(ctx context.Context, t *Template, scope *Scope) (bool, error) {
	if t == nil {
		return false, nil
	}
	v, err := t.Eval(ctx, scope)
	if err != nil {
		return false, err
	}
	on, ok := jsonata.Force(v).(bool)
	if !ok {
		return false, NewFailure(ExpressionFailed, t.place()+": yields neither true nor false", nil)
	}
	return on, nil
}

// short evaluates a text, and truncates it to the limit. Any other value becomes JSON;
// nothing and null become "", because a sender that gives no reason must not keep the task
// waiting.
func short(ctx context.Context, t *Template, scope *Scope, limit int) (string, error) {
	if t == nil {
		return "", nil
	}
	v, err := t.evalOptional(ctx, scope)
	if err != nil {
		return "", err
	}
	v = jsonata.Force(v)
	if v == nil || v == jsonata.Undefined {
		return "", nil
	}
	s, isText := v.(string)
	if !isText {
		text, err := encode(v, t.place())
		if err != nil {
			return "", err
		}
		s = string(text)
	}
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s, nil
}

// token returns the task token of a delivery.
func (b *Bridge) token(ctx context.Context, d *Delivery, scope *Scope) (string, error) {
	rule := d.Route.Resume
	if rule.Lookup != nil {
		return b.lookUp(ctx, d, scope)
	}
	v, err := rule.Token.evalOptional(ctx, scope)
	if err != nil {
		return "", err
	}
	token, _ := jsonata.Force(v).(string)
	return token, checkToken(token)
}

func checkToken(token string) error {
	switch {
	case token == "":
		return NewFailure(BadToken, "the delivery has no task token", nil)
	case len(token) > maxToken:
		return NewFailure(BadToken, fmt.Sprintf("the task token has more than %d bytes", maxToken), nil)
	}
	return nil
}

// lookUp reads the item that the workflow wrote, as often as the grace allows.
func (b *Bridge) lookUp(ctx context.Context, d *Delivery, scope *Scope) (string, error) {
	rule := d.Route.Resume
	lookup := rule.Lookup
	key, err := lookupKey(ctx, lookup, scope)
	if err != nil {
		return "", err
	}
	if b.waits == nil {
		return "", NewFailure(Misconfigured, "the route looks up a token, but has no table to look in", nil)
	}
	item, err := b.waitFor(ctx, lookup, key)
	if err != nil {
		return "", err
	}
	if lookup.SecretAttribute != "" {
		if err := checkSecret(ctx, rule, item[lookup.SecretAttribute], scope); err != nil {
			return "", err
		}
	}
	token := item[lookup.TokenAttribute]
	if token == "" {
		return "", NewFailure(Misconfigured, fmt.Sprintf("the item has no text in the attribute %q, into which the workflow must write its token before it waits", lookup.TokenAttribute), nil)
	}
	return token, checkToken(token)
}

func lookupKey(ctx context.Context, lookup *Lookup, scope *Scope) (any, error) {
	v, err := lookup.Key.evalOptional(ctx, scope)
	if err != nil {
		return nil, err
	}
	switch v := jsonata.Force(v).(type) {
	case string:
		if v != "" && len(v) <= 2048 { // DynamoDB's limit of a partition key
			return v, nil
		}
	case json.Number:
		return v, nil
	case float64:
		text, err := jsonata.AppendJSON(nil, v)
		if err == nil {
			return json.Number(text), nil
		}
	}
	return nil, NewFailure(BadRequest, "the delivery has no key to look up: the key must be text or a number", nil)
}

// checkSecret compares the secret in the link with the one that the workflow wrote, in
// constant time.
func checkSecret(ctx context.Context, rule *Resume, want string, scope *Scope) error {
	v, err := rule.Secret.evalOptional(ctx, scope)
	if err != nil {
		return err
	}
	got, _ := jsonata.Force(v).(string)
	if want == "" {
		return NewFailure(Misconfigured, fmt.Sprintf("the item has no text in the attribute %q, which the link must carry", rule.Lookup.SecretAttribute), nil)
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return NewFailure(Unverified, "the secret in the link is not that of the task", nil)
	}
	return nil
}

// The waits between reads of an item that does not exist yet.
const (
	firstLook = 100 * time.Millisecond
	longLook  = time.Second
	// sendTime is the part of the delivery's time that is reserved for what follows the
	// lookup.
	sendTime = 300 * time.Millisecond
)

// waitFor reads the item until it exists, or the grace or the delivery's time is over.
func (b *Bridge) waitFor(ctx context.Context, lookup *Lookup, key any) (map[string]string, error) {
	end := b.now().Add(lookup.Grace)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-sendTime).Before(end) {
		end = deadline.Add(-sendTime)
	}
	for wait := firstLook; ; wait = min(2*wait, longLook) {
		item, found, err := b.waits.Item(ctx, lookup.Table, lookup.KeyAttribute, key)
		switch {
		case err != nil:
			if f := (*Failure)(nil); errors.As(err, &f) {
				return nil, f
			}
			return nil, &Failure{Name: Unavailable, Cause: "the table of waiting tasks did not answer", Err: err, RetryAfter: 5 * time.Second}
		case found:
			return item, nil
		case b.now().Add(wait).After(end):
			return nil, &Failure{Name: TaskUnknown, Cause: "no task waits under this key", RetryAfter: 5 * time.Second}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, &Failure{Name: TaskUnknown, Cause: "no task waits under this key", RetryAfter: 5 * time.Second}
		}
	}
}
