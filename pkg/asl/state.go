package asl

// A Machine is a parsed definition. It is immutable: any number of executions may
// run it at once.
type Machine struct {
	flow    *flow
	timeout int // TimeoutSeconds; 0 if there is none
}

// A flow is a StartAt with its States: a machine, a branch or an item processor.
type flow struct {
	start  string
	states map[string]*state
	// instant means that nothing in the flow waits, so that running several such flows
	// concurrently would cost goroutines and gain nothing.
	instant bool
}

// A state is a state of any type; only the fields of its type are set.
type state struct {
	name, kind, next string
	jsonata          bool // the query language

	// The types of its events; failed and aborted are empty if there is no such event.
	entered, exited, failed, aborted string
	events                           taskEvents

	inputPath, outputPath *source // nil means "$", unless noInput or noOutput is set
	noInput, noOutput     bool    // the path is null
	resultPath            *source
	noResult              bool
	arguments             *template // Parameters, or Arguments
	selector              *template // ResultSelector
	assign                *template
	output                *template
	result                any // of a Pass state
	hasResult             bool

	resource           string
	credentials        *template
	timeout, heartbeat amount
	retry              []*retrier
	catch              []*catcher

	rules       []*rule
	defaultNext string

	wait waitFields

	errorText, causeText *template

	branches []*flow

	reader           *itemReader
	batcher          *itemBatcher
	writer           *resultWriter
	label            string
	distributed      bool // ProcessorConfig.Mode
	itemsPath        *source
	items            *template
	itemSelector     *template
	concurrency      amount
	toleratedCount   amount
	toleratedPercent amount
}

// waitFields are the fields of a Wait state, which has exactly one of them.
type waitFields struct {
	seconds                    amount
	secondsPath, timestampPath *source
	timestamp                  *template
}

type retrier struct {
	errors   []string
	interval int
	attempts int
	backoff  float64
	maxDelay int
	jitter   bool
}

type catcher struct {
	errors     []string
	next       string
	resultPath *source
	noResult   bool
	assign     *template
	output     *template
}

// A mapItem is what the context object says about a Map state's iteration.
type mapItem struct {
	index  int
	value  any
	source string
	key    string // if keyed
	keyed  bool   // the item is a member of an object
}
