package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/chromedp/chromedp"

	"github.com/expressway-dev/expressway/internal/mototest"
)

// The project that TestQueueInBrowser walks through. With its --wait-scale, an hour passes
// in 36 ms, and the long wait of "forever" outlasts the test.
var walked = map[string]string{
	"expressway.yaml": `version: 1
routes:
  - {name: work, sqs: "*", start: work, input: "{% $message.body %}"}
  - {name: paid, eventbridge: {source: shop, detail-type: Payment taken}, start: work, input: "{% $event.detail %}"}
`,
	"statemachines/work.asl.json": `{"QueryLanguage":"JSONata","StartAt":"Check","States":{
  "Check":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.bad = true %}","Next":"Refuse"}],"Default":"Keep"},
  "Refuse":{"Type":"Fail","Error":"BadMessage","Cause":"This one never works."},
  "Keep":{"Type":"Pass","End":true}}}`,
	"statemachines/patient.asl.json": `{"QueryLanguage":"JSONata","StartAt":"Price","States":{
  "Price":{"Type":"Pass","Assign":{"price":"before-the-task"},"Next":"Rest"},
  "Rest":{"Type":"Wait","Seconds":3600,"Next":"Call"},
  "Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"busy"},
    "Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":3600,"MaxAttempts":3,"BackoffRate":1}],
    "Assign":{"price":"after-the-task"},"End":true}}}`,
	"statemachines/forever.asl.json": `{"QueryLanguage":"JSONata","StartAt":"Sleep","States":{"Sleep":{"Type":"Wait","Seconds":90000000,"End":true}}}`,
	"env.json":                       `{"Parameters":{"SFN_MOCK_CONFIG":"mocks.json"}}`,
	"mocks.json": `{"StateMachines":{"patient":{"TestCases":{"*":{"Call":"Busy"}}}},
  "MockedResponses":{"Busy":{"0-1":{"Throw":{"Error":"Busy","Cause":"Come back later."}},"2":{"Return":{"Payload":"done"}}}}}`,
}

// Messages of a queue, with a failure among them and its redrive; what is sent from the
// page; waits, retries and variables; and an execution that nobody waits for, ended by its
// button.
func TestQueueInBrowser(t *testing.T) {
	server := mototest.Start(t)
	client := sqs.New(sqs.Options{BaseEndpoint: &server.URL, Region: mototest.Region, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	create := func(name string, attributes map[string]string) *string {
		t.Helper()
		out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return out.QueueUrl
	}
	dead := create("dead", nil)
	queue := create("work", map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":"2"}`,
	})
	for _, body := range []string{`{"n":1}`, `{"n":2,"bad":true}`, `{"n":3}`} {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	for name, text := range walked {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base, stop := startConsole(t, "--queue", *queue, "--wait-scale", "0.00001", "--env-vars", "env.json")
	defer stop()
	b := newBrowser(t, base)
	console := base + "/_expressway/"
	scripted := `document.body.classList.contains('scripted')`

	// The batch of three is one delivery, red for one message; the two others succeeded.
	b.do(t, chromedp.Navigate(console))
	b.eventually(t, scripted+` && (r => !!r && (r.click(), true))([...document.querySelectorAll('a.row')].find(r => r.textContent.includes('3 messages')))`)
	b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelectorAll('.message').length === 3`)
	b.eventually(t, `document.querySelector('.sub').textContent.includes('1 of 3 to retry') && document.querySelector('.failure').textContent.includes('This one never works.')`)
	b.eventually(t, `(cards => cards.filter(c => c.textContent.includes('Execution succeeded')).length === 2 && cards.filter(c =>
		c.textContent.includes('Execution failed in Refuse') && c.textContent.includes('"bad": true') && c.textContent.includes('received 1×')).length === 1)([...document.querySelectorAll('.message')])`)
	// The message that failed is delivered again, alone, and its delivery says how often.
	b.do(t, chromedp.Navigate(console+"?result=failed"))
	b.eventually(t, scripted+` && (r => !!r && (r.click(), true))([...document.querySelectorAll('a.row')].find(r => r.textContent.includes('work') && !r.textContent.includes('3 messages')))`)
	b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelectorAll('.message').length === 1 && document.querySelector('.message').textContent.includes('received 2×')`)
	// After that, the redrive policy of the queue has moved it: the dead-letter queue has it.
	received, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead, WaitTimeSeconds: 20})
	if err != nil || len(received.Messages) != 1 || !strings.Contains(*received.Messages[0].Body, `"bad":true`) {
		t.Errorf("the dead-letter queue has %v, %v", received, err)
	}

	// A message and an event, from the page.
	for title, want := range map[string]string{"A message for work": "1 done", "An event for paid": "Payment taken"} {
		b.do(t, chromedp.Navigate(console+"send"))
		b.eventually(t, scripted+` && (c => !!c && (c.querySelector('button').click(), true))([...document.querySelectorAll('section')].find(s => s.querySelector('h2').textContent.startsWith('`+title+`')))`)
		b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelector('.heading').textContent.includes('console') && document.querySelector('#live').textContent.includes('Execution succeeded')`)
		if got := b.text(t, ".heading"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %s in it", title, got, want)
		}
	}

	// An hour of Wait and two hours of retries have passed; attempts and variables are seen.
	b.do(t, chromedp.Navigate(console+"machines/patient"), click(`form[data-post$="/run"] button`))
	b.eventually(t, `document.body.dataset.page === 'execution' && document.querySelector('.sub').textContent.startsWith('succeeded')`)
	b.eventually(t, `[...document.querySelectorAll('.timeline .name')].map(n => n.textContent).join() === 'Price,Rest,Call'`)
	b.do(t, click(`.drawing [data-state=Rest]`))
	b.eventually(t, `document.querySelector('#state').textContent.includes('Wait succeeded')`)
	b.do(t, click(`.drawing [data-state=Call]`))
	b.eventually(t, `(s => s.includes('Attempt 3') && !s.includes('Attempt 4') && s.includes('Come back later.') && s.includes('set here'))(document.querySelector('#state').textContent)`)
	b.eventually(t, `(s => s.length === 2 && s[0].textContent.includes('before-the-task') && s[1].textContent.includes('after-the-task'))([...document.querySelectorAll('#state .beside:not(.wide) > div')])`)

	// An Express execution, which AWS cannot end.
	b.do(t, chromedp.Navigate(console+"machines/forever"))
	if got := b.text(t, ".sub"); !strings.HasPrefix(got, "express ") {
		t.Errorf("the state machine is %s, want an Express one", got)
	}
	b.do(t, click(`form[data-post$="/run"] button`))
	b.eventually(t, `document.body.dataset.page === 'execution' && document.querySelector('.sub').textContent.startsWith('running') && !!document.querySelector('.timeline .run')`)
	b.do(t, click(`[data-post$="/end"]`))
	b.eventually(t, `!document.querySelector('[data-post$="/end"]') && document.querySelector('.failure').textContent.includes('The execution was ended in the console.')`)

	response, err := http.Get(console + "health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var health struct {
		Status, Version                 string
		Routes, StateMachines, Problems int
	}
	decoder := json.NewDecoder(response.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&health); err != nil || health.Status != "ok" || health.Version == "" || health.Routes != 2 || health.StateMachines != 3 || health.Problems != 0 {
		t.Errorf("health: got %v %+v, want two routes, three state machines and no problems", err, health)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.bad {
		t.Error(what)
	}
}

// What happens between the writing of a page and the opening of its stream is shown once
// the stream is open.
func TestStreamOpensLateInBrowser(t *testing.T) {
	inHello(t)
	base, stop := startConsole(t, "--env-vars", "env.json")
	defer stop()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan struct{})
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/api/events") {
			select {
			case <-open:
			case <-r.Context().Done():
				return
			}
		}
		forward.ServeHTTP(w, r)
	}))
	defer func() {
		proxy.CloseClientConnections() // the stream has no end
		proxy.Close()
	}()
	b := newBrowser(t, proxy.URL)
	b.do(t, chromedp.Navigate(proxy.URL+"/_expressway/"))
	b.eventually(t, `document.body.classList.contains('scripted') && !document.querySelector('.row')`)
	response, err := http.Post(base+"/nowhere", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	close(open)
	b.eventually(t, `document.querySelector('.row .title')?.textContent === 'POST /nowhere'`)
}
