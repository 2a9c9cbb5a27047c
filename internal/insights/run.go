package insights

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/expressway-dev/expressway/internal/awserr"
)

const (
	// maxPage is the maximum number of rows that a query returns.
	maxPage = 10_000
	// MaxLines bounds the lines that a run reads.
	MaxLines = 100_000
	// perQuery is how many executions one query selects.
	perQuery = 50
	// lag bounds the duration of an execution and the delay of its log.
	lag = 10 * time.Minute
	// stopLimit bounds the call that stops a query.
	stopLimit = 5 * time.Second
)

// A Client has the operations of CloudWatch Logs that a run needs.
type Client interface {
	StartQuery(context.Context, *logs.StartQueryInput, ...func(*logs.Options)) (*logs.StartQueryOutput, error)
	GetQueryResults(context.Context, *logs.GetQueryResultsInput, ...func(*logs.Options)) (*logs.GetQueryResultsOutput, error)
	StopQuery(context.Context, *logs.StopQueryInput, ...func(*logs.Options)) (*logs.StopQueryOutput, error)
}

// A Runner runs searches over log groups.
type Runner struct {
	Client Client
	Groups []string
	// Limit is the maximum number of lines to read, up to [MaxLines].
	Limit int
	// Page is the maximum number of lines of one query; zero is the service's limit.
	Page int
	// Wait is called between polls of a running query.
	Wait func(context.Context) error
}

// A Result is what was found.
type Result struct {
	Events []Event
	// More means that there are more lines, from Next on.
	More bool
	// Next is the time from which the next run must search so that it misses no line.
	Next time.Time
}

// Run finds the lines of the search, and those of the executions that they name. With an
// error, it returns the lines so far, and Next says where to continue.
func (r *Runner) Run(ctx context.Context, s Search, since, until time.Time) (Result, error) {
	result := Result{Next: since}
	if err := r.pages(ctx, s.Filter(), since, until, &result); err != nil {
		return result, err
	}
	var arns []string
	seen := map[string]bool{}
	for _, e := range result.Events {
		if arn := e.Text("executionArn"); arn != "" && !seen[arn] {
			seen[arn] = true
			arns = append(arns, arn)
		}
	}
	known := map[string]bool{}
	for _, e := range result.Events {
		known[e.ptr] = true
	}
	for len(arns) > 0 && len(result.Events) < r.limit() {
		n := min(len(arns), perQuery)
		page := Result{Next: since}
		err := r.pages(ctx, executions(arns[:n]), since, until.Add(lag), &page)
		for _, e := range page.Events {
			if !known[e.ptr] && len(result.Events) < r.limit() {
				known[e.ptr] = true
				result.Events = append(result.Events, e)
			}
		}
		result.More = result.More || page.More
		if err != nil {
			return result, err
		}
		arns = arns[n:]
	}
	result.More = result.More || len(arns) > 0
	order(result.Events)
	return result, nil
}

func (r *Runner) limit() int { return min(max(r.Limit, 1), MaxLines) }

// pages runs queries until there are no more lines, or the limit is reached.
func (r *Runner) pages(ctx context.Context, filter string, since, until time.Time, result *Result) error {
	size := maxPage
	if r.Page > 0 {
		size = min(r.Page, maxPage)
	}
	seen := map[string]bool{}
	from := time.Time{}
	for {
		limit := min(size, r.limit()+1)
		rows, err := r.query(ctx, query(filter, from, limit), since, until)
		fresh := 0
		for _, row := range rows {
			e, ok := parse(row)
			if !ok || seen[e.ptr] {
				continue
			}
			if len(result.Events) == r.limit() {
				result.More, result.Next = true, e.Time
				return err
			}
			seen[e.ptr] = true
			fresh++
			result.Events = append(result.Events, e)
			result.Next = e.Time
		}
		switch {
		case err != nil:
			return err
		case len(rows) < limit:
			result.Next = until
			return nil
		case fresh == 0 || result.Next.Equal(from):
			// There are more lines in one millisecond than a query returns. The later
			// lines are found, and More reports that some are missing.
			result.More = true
			from = result.Next.Add(time.Millisecond)
		default:
			from = result.Next
		}
	}
}

// ErrQuery is the error of a query that the service aborted.
var ErrQuery = errors.New("CloudWatch Logs aborted the query")

// query runs one query. It stops the query at the service if the context ends.
func (r *Runner) query(ctx context.Context, text string, since, until time.Time) ([][]types.ResultField, error) {
	started, err := r.Client.StartQuery(ctx, &logs.StartQueryInput{
		LogGroupIdentifiers: r.Groups, QueryString: aws.String(text),
		StartTime: aws.Int64(since.Unix()), EndTime: aws.Int64(until.Unix() + 1),
	})
	if err != nil {
		return nil, awserr.Explain(err)
	}
	stop := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		// otherwise it ends within an hour
		_, _ = r.Client.StopQuery(ctx, &logs.StopQueryInput{QueryId: started.QueryId})
	}
	for {
		out, err := r.Client.GetQueryResults(ctx, &logs.GetQueryResultsInput{QueryId: started.QueryId})
		if err != nil {
			stop()
			return nil, awserr.Explain(err)
		}
		switch out.Status {
		case types.QueryStatusComplete:
			return out.Results, nil
		case types.QueryStatusScheduled, types.QueryStatusRunning:
			if err := r.Wait(ctx); err != nil {
				stop()
				return out.Results, fmt.Errorf("the query was still running (%w): narrow it with --since and --until", err)
			}
		default: // Failed, Cancelled, Timeout, Unknown: the results so far are kept
			return out.Results, fmt.Errorf("%w (%s): narrow it with --since and --until", ErrQuery, strings.ToLower(string(out.Status)))
		}
	}
}
