package asl

// A Machine is a parsed definition. It is immutable: any number of executions may
// run it at once.
type Machine struct {
	flow    *flow
	timeout int // TimeoutSeconds; 0 for none
}

// A flow is a StartAt with its States: a machine, a branch, an item processor.
type flow struct {
	start  string
	states map[string]*state
	// instant flows hold nothing that waits: running several of them side by side
	// would cost goroutines and gain nothing.
	instant bool
}

// A state is one of any type: it has the fields of its type only.
type state struct {
	name, kind, next string
	jsonata          bool // the query language

	// The types of its events; failed and aborted are empty where there is none.
	entered, exited, failed, aborted string
	events                           taskEvents

	inputPath, outputPath *source // nil with none* false: "$"
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

// waitFields are those of a Wait state, of which it has exactly one.
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

// A mapItem is what the context object says of a Map state's iteration.
type mapItem struct {
	index  int
	value  any
	source string
	key    string // if keyed
	keyed  bool   // the item is a member of an object
}
