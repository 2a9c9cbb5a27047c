package reliability

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/checkout"
	"github.com/expressway-dev/expressway/internal/mototest"
)

var (
	messages = flag.Int("messages", 500, "how many messages TestReliability sends")
	seed     = flag.Uint64("seed", 1, "decides which deliveries get which faults")
	update   = flag.Bool("update", false, "write the accounts into docs/reliability.md")
)

// Nothing is lost and nothing doubled without a reason, over the wire. `make reliability`
// sends ten thousand messages and prints the account. The two tests run one after the
// other: each needs the whole machine, so that its functions do not time out.
func TestReliability(t *testing.T) {
	checkAccount(t, *messages, false)
}

// With dedupe, a message of whose end the function learned is not started a second time,
// even if the queue delivers it again.
func TestReliabilityWithDedupe(t *testing.T) {
	checkAccount(t, *messages/2, true)
}

// No execution that waits is lost, and none is resumed twice: functions are killed, calls
// and answers get lost, senders repeat and contradict themselves.
func TestWaits(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, "webhook")
	config := filepath.Join(dir, "expressway.yaml")
	if err := os.WriteFile(config, []byte(waitRoutes), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	account, err := runWaits(t.Context(), waitOptions{
		Waits: *messages, Functions: 4, Seed: *seed, Bootstrap: filepath.Join(dir, "bootstrap"), Config: config,
	})
	if account != nil {
		publish(t, "## Executions that wait", fmt.Sprintf("%d waits", *messages), began, account, err == nil && len(account.Wrong) == 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := len(account.Wrong); n > 0 {
		t.Errorf("%d things are wrong in the account", n)
	}
}

// No webhook that is accepted first and processed later is lost, and none runs twice
// without a reason: functions are killed, answers get lost, senders repeat, and dead
// letters are redriven.
func TestAccepted(t *testing.T) {
	server := mototest.Start(t)
	dir := t.TempDir()
	for _, function := range []string{"webhook", "queue"} {
		build(t, filepath.Join(dir, function), function)
	}
	webhooks := *messages / 5
	began := time.Now()
	account, err := runAccepted(t.Context(), acceptedOptions{
		Webhooks: webhooks, Functions: 2, Seed: *seed, Webhook: filepath.Join(dir, "webhook", "bootstrap"), Queue: filepath.Join(dir, "queue", "bootstrap"),
		Queues: server.URL, Config: filepath.Join(dir, "expressway.yaml"), Idle: time.Minute,
	})
	if account != nil {
		publish(t, "## Webhooks that are accepted first", fmt.Sprintf("%d webhooks", webhooks), began, account, err == nil && len(account.Wrong) == 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := len(account.Wrong); n > 0 {
		t.Errorf("%d things are wrong in the account", n)
	}
}

func checkAccount(t *testing.T, messages int, dedupe bool) {
	t.Helper()
	server := mototest.Start(t)
	dir := t.TempDir()
	build(t, dir, "queue")
	began := time.Now()
	account, err := runMessages(t.Context(), options{
		Messages: messages, Pollers: 6, Seed: *seed, Bootstrap: filepath.Join(dir, "bootstrap"), Queues: server.URL, Dedupe: dedupe, Idle: time.Minute,
		Config: func(dead, deadFIFO string) (string, error) {
			file := filepath.Join(dir, "expressway.yaml")
			return file, os.WriteFile(file, []byte(routes(dead, deadFIFO, dedupe)), 0o600)
		},
	})
	if account != nil {
		heading := map[bool]string{false: "## The account", true: "## With dedupe"}[dedupe]
		publish(t, heading, fmt.Sprintf("%d messages", messages), began, account, err == nil && len(account.Wrong) == 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := len(account.Wrong); n > 0 {
		t.Errorf("%d things are wrong in the account", n)
	}
}

// build writes dir/bootstrap.
func build(t *testing.T, dir, function string) {
	t.Helper()
	if err := checkout.Build(t.Context(), "functions/"+function, runtime.GOOS, runtime.GOARCH, dir); err != nil {
		t.Fatal(err)
	}
}
