package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A killer is placed between one run of the program and everything that it reaches. It kills the
// program, as SIGKILL does, at one of its calls: before the call is passed on, or after it
// was made and before its answer is.
type killer struct {
	services, functions *httputil.ReverseProxy
	// one call goes through at a time: the queues of moto are not safe for concurrent use.
	one *sync.Mutex
	at  int // 0 for never
	// after kills between the call and its answer, and sends counts only what sends and deletes
	// letters: much of what a run that continues calls is to find where it was.
	after, sends bool

	mu      sync.Mutex
	calls   int
	process chan *os.Process // the program, once it has started
	where   string           // the operation at which the program was killed
}

// newKiller returns a killer, and its address.
func newKiller(t *testing.T, s *redriveStack, one *sync.Mutex, at int, after, sends bool) (*killer, *httptest.Server) {
	t.Helper()
	k := &killer{process: make(chan *os.Process, 1), one: one, at: at, after: after, sends: sends}
	for target, proxy := range map[string]**httputil.ReverseProxy{s.table.server.URL: &k.services, s.url: &k.functions} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		*proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	}
	return k, httptest.NewServer(k)
}

// kill kills the program. A call of the program can be here before its start has returned.
func (k *killer) kill() {
	p := <-k.process
	_ = p.Kill()
	k.process <- p
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	// What was sent is done, whatever becomes of its sender.
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	operation := r.Header.Get("X-Amz-Target")
	operation = operation[strings.LastIndexByte(operation, '.')+1:]
	next := k.services
	if strings.Contains(r.URL.Path, "/functions/") {
		operation, next = "Invoke", k.functions
	}
	k.mu.Lock()
	counts := !k.sends || operation == "Invoke" || operation == "SendMessage" || operation == "DeleteMessage"
	if counts {
		k.calls++
	}
	here, dead := counts && k.calls == k.at, k.where != ""
	if here {
		k.where = operation + map[bool]string{false: " before", true: " after"}[k.after]
	}
	k.mu.Unlock()
	if here && !k.after || dead {
		k.kill()
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder() // unlike w, it does not end the call when the program is gone
	k.one.Lock()
	next.ServeHTTP(answer, r)
	k.one.Unlock()
	if here {
		k.kill()
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// fill puts letters into a queue, and returns the id of each by its number.
func (s *redriveStack) fill(queue string, n int, letter func(i int) (body string, attributes map[string]string)) map[int]string {
	s.t.Helper()
	ids := map[int]string{}
	for from := 0; from < n; from += 10 {
		in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(s.queue(queue))}
		for i := from; i < min(n, from+10); i++ {
			body, own := letter(i)
			entry := types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{}}
			if strings.HasSuffix(queue, ".fifo") {
				entry.MessageGroupId, entry.MessageDeduplicationId = aws.String(fmt.Sprint("g", i%7)), aws.String(fmt.Sprint("letter-", i))
			}
			for name, value := range own {
				entry.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
			}
			in.Entries = append(in.Entries, entry)
		}
		out, err := s.client.SendMessageBatch(s.t.Context(), in)
		if err != nil || len(out.Failed) > 0 {
			s.t.Fatal(err, out)
		}
		for _, sent := range out.Successful {
			var i int
			_, _ = fmt.Sscan(*sent.Id, &i)
			ids[i] = *sent.MessageId
		}
	}
	return ids
}

// killed runs the program until it ends by itself, after it was killed at so many random
// calls, and returns what it has said. It counts the kills by operation.
func (s *redriveStack) killed(where map[string]int, queue string, kills int, random *rand.Rand) string {
	s.t.Helper()
	said := ""
	var one sync.Mutex
	for n := 1; ; n++ {
		at, sends := 0, n%2 == 0
		switch {
		case n > kills:
		case sends:
			at = 1 + random.IntN(12)
		default:
			at = 1 + random.IntN(40)
		}
		k, server := newKiller(s.t, s, &one, at, random.IntN(2) == 0, sends)
		cmd := exec.CommandContext(s.t.Context(), os.Args[0], "redrive", "--from", queue, "--in-doubt", "send")
		cmd.Dir = s.dir
		cmd.Env = []string{asProgram + "=1", "AWS_ENDPOINT_URL=" + server.URL}
		for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "EXPRESSWAY_DEDUPE_TABLE", "XDG_STATE_HOME"} {
			cmd.Env = append(cmd.Env, name+"="+s.getenv(name))
		}
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Start()
		if err == nil {
			k.process <- cmd.Process
			err = cmd.Wait()
		}
		server.CloseClientConnections()
		server.Close()
		said += out.String()
		if k.where != "" {
			where[k.where]++
			continue
		}
		if err != nil {
			s.t.Fatalf("%v after %d kills:\n%s", err, n-1, out.String())
		}
		if n <= kills {
			s.t.Fatalf("the queue is empty after %d kills of %d: the test needs more letters", n-1, kills)
		}
		return said
	}
}

// The program is killed a hundred times, at random calls, over letters of all kinds, and run
// again until it ends. Each letter has arrived then, once where a FIFO queue makes two of it
// one, and what came twice is listed where nothing does.
func TestRedriveKilled(t *testing.T) {
	t.Parallel()
	s := newRedriveStack(t)
	where := map[string]int{}
	random := rand.New(rand.NewPCG(1, 2))
	const letters, kinds, ordered = 480, 6, 140
	event := func(i int) string {
		return fmt.Sprintf(`{"source":"shop","detail-type":"Paid","detail":{"order":"%d."}}`, i)
	}
	ids := s.fill("dead", letters, func(i int) (string, map[string]string) {
		body := fmt.Sprintf(`{"order":"%d."}`, i)
		switch i % kinds {
		case 0: // the bridge's own, of a route with dedupe
			return body, map[string]string{"ErrorName": "Invalid", "Route": "orders", "SourceQueue": s.arn("orders")}
		case 1: // the bridge's own, of one without
			return body, map[string]string{"ErrorName": "Invalid", "Route": "bare", "SourceQueue": s.arn("bare")}
		case 2: // moved by the queue's redrive policy
			return body, nil
		case 3: // an event whose target is a queue
			return event(i), map[string]string{"RULE_ARN": ruleARN, "TARGET_ARN": s.arn("bare")}
		case 4: // an event whose target is a function
			return event(i), map[string]string{"RULE_ARN": ruleARN, "TARGET_ARN": lambdaARN("events")}
		}
		return `{"version":"1.0","requestContext":{"functionArn":"` + lambdaARN("events") + `","condition":"RetriesExhausted"},"requestPayload":` + event(i) + `,"responsePayload":{"errorType":"Declined"}}`, nil
	})
	s.fill("dead.fifo", ordered, func(i int) (string, map[string]string) {
		return fmt.Sprintf(`{"order":"%d."}`, i), map[string]string{"ErrorName": "Invalid", "Route": "ordered", "SourceQueue": s.arn("ordered.fifo"), "DeduplicationId": fmt.Sprint("sender-", i)}
	})

	said := s.killed(where, "dead", 75, random)
	order := regexp.MustCompile(`"order":"([0-9]+)\.`)
	times := map[string]int{}
	count := func(text string) { times[order.FindStringSubmatch(text)[1]]++ }
	for _, queue := range []string{"orders", "bare"} {
		for _, m := range s.drain(queue) {
			count(*m.Body)
		}
	}
	for _, e := range s.events {
		count(e)
	}
	twice := 0
	for i := range letters {
		n := times[fmt.Sprint(i)]
		switch {
		case n == 0:
			t.Errorf("the letter %d is lost", i)
		case n > 1 && i%kinds != 0 && !strings.Contains(said, ids[i]+": sent again: it may run twice"):
			t.Errorf("letter %d was sent %d times, but is not listed", i, n)
		case n > 1:
			twice++
		}
	}
	if left := s.drain("dead"); len(left) != 0 {
		t.Errorf("%d letters are still there", len(left))
	}

	s.killed(where, "dead.fifo", 25, random)
	times = map[string]int{}
	for _, m := range s.drain("ordered.fifo") {
		count(*m.Body)
	}
	for i := range ordered {
		if n := times[fmt.Sprint(i)]; n != 1 {
			t.Errorf("FIFO letter %d arrived %d times", i, n)
		}
	}
	total := 0
	for _, n := range where {
		total += n
	}
	t.Logf("%d kills: %v; %d of %d letters were sent twice, and are listed or have a dedupe key", total, where, twice, letters)
	if total != 100 || where["SendMessage before"]+where["SendMessage after"]+where["Invoke before"]+where["Invoke after"] < 25 {
		t.Errorf("%d kills, want 100, at least 25 of them around a send; by call: %v", total, where)
	}
}
