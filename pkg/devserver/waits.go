package devserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/internal/waittable"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A waitTable holds the items that mocked putItem tasks would have written, so that a
// webhook finds the token of a waiting task without DynamoDB.
type waitTable struct {
	mu    sync.Mutex
	items []waitItem // the oldest first
}

type waitItem struct {
	table          string
	texts, numbers map[string]string // by attribute
}

// maxWaitItems bounds the memory: the tokens of older items are no longer found.
const maxWaitItems = 10_000

// waits returns the table in which routes look tokens up: DynamoDB if the environment names
// an endpoint, because the credentials on a laptop must not be enough to send anything to
// AWS; or else what mocked tasks have written.
func waits(getenv func(string) string, mocked *waitTable) bridge.WaitTable {
	if endpoint(getenv, "DYNAMODB") == "" {
		return mocked
	}
	table, err := waittable.New(localEnv(getenv))
	if err != nil {
		return noTable{err}
	}
	return table
}

type noTable struct{ err error }

// Item implements [bridge.WaitTable].
func (t noTable) Item(context.Context, string, string, any) (map[string]string, bool, error) {
	return nil, false, bridge.NewFailure(bridge.Misconfigured, "the table of waiting tasks cannot be reached", t.err)
}

// Item implements [bridge.WaitTable]. It returns the item that was written last.
func (w *waitTable) Item(_ context.Context, table, keyAttribute string, key any) (map[string]string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, item := range slices.Backward(w.items) {
		keys := item.texts
		if _, number := key.(json.Number); number {
			keys = item.numbers
		}
		if value, ok := keys[keyAttribute]; ok && item.table == table && value == fmt.Sprint(key) {
			return item.texts, true, nil
		}
	}
	return nil, false, nil
}

func (w *waitTable) put(item waitItem) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.items) == maxWaitItems {
		w.items = slices.Delete(w.items, 0, 1)
	}
	w.items = append(w.items, item)
}

// watch returns a runner of mocked tasks whose putItem calls write into the table.
func (w *waitTable) watch(mocked asl.TaskRunner) asl.TaskRunner { return watchedTasks{w, mocked} }

type watchedTasks struct {
	table *waitTable
	next  asl.TaskRunner
}

// RunTask implements [asl.TaskRunner].
func (w watchedTasks) RunTask(ctx context.Context, t asl.Task) (any, error) {
	item, ok := putItem(t)
	switch {
	case !ok:
		return w.next.RunTask(ctx, t)
	case t.Resumed: // an earlier process wrote it, into its own memory
		w.table.put(item)
	case t.Submitted != nil:
		submitted := t.Submitted
		t.Submitted = func(result any) {
			w.table.put(item) // before the history shows that the task waits
			submitted(result)
		}
	}
	result, err := w.next.RunTask(ctx, t)
	if err == nil && t.Token == "" {
		w.table.put(item)
	}
	return result, err
}

// putItem returns the item of a task that calls DynamoDB's PutItem.
func putItem(t asl.Task) (waitItem, bool) {
	action, _ := asl.Integration(t.Resource)
	action = strings.TrimSuffix(strings.TrimPrefix(action, "aws-sdk:"), ".waitForTaskToken")
	parameters, _ := t.Parameters.(*jsonata.Object)
	attributes := parameters.Object("Item")
	if action != "dynamodb:putItem" || attributes == nil {
		return waitItem{}, false
	}
	item := waitItem{parameters.Text("TableName"), map[string]string{}, map[string]string{}}
	for i := range attributes.Len() {
		name, _ := attributes.At(i)
		value := attributes.Object(name)
		if text, ok := value.Value("S").(string); ok {
			item.texts[name] = text
		}
		if number, ok := value.Value("N").(string); ok {
			item.numbers[name] = number
		}
	}
	return item, true
}
