package statesapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// CreateActivity adds an activity, or returns the one of that name ([CreateActivity]).
//
// [CreateActivity]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateActivity.html
func (s *Service) CreateActivity(name *string, tags []Tag) (*CreateActivityOutput, error) {
	var c constraints
	if c.required("name", name != nil) {
		c.text("name", name, 1, maxName)
	}
	c.tags(tags)
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := checkName(*name); err != nil {
		return nil, err
	}
	arn := "arn:aws:states:" + s.opts.Region + ":" + s.opts.Account + ":activity:" + *name
	a := s.tokens.create(&activity{arn: arn, name: *name, created: s.opts.Now(), tags: tags})
	if err := s.saveActivities(); err != nil {
		return nil, err
	}
	return &CreateActivityOutput{a.arn, epoch(a.created)}, nil
}

// A CreateActivityOutput is the answer of [Service.CreateActivity].
type CreateActivityOutput struct {
	ActivityARN  string `json:"activityArn"`
	CreationDate epoch  `json:"creationDate"`
}

// An ActivityItem describes an activity in the API.
type ActivityItem struct {
	ActivityARN  string `json:"activityArn"`
	Name         string `json:"name"`
	CreationDate epoch  `json:"creationDate"`
}

// describeActivity returns the description of an activity.
func (s *Service) describeActivity(text *string) (*ActivityItem, error) {
	if err := checkActivity(text, nil); err != nil {
		return nil, err
	}
	a := s.tokens.activity(*text)
	if a == nil {
		return nil, noActivity(*text)
	}
	return &ActivityItem{a.arn, a.name, epoch(a.created)}, nil
}

// DeleteActivity removes an activity. Deleting a missing one is not an error. Tasks that no
// worker has taken wait until they time out.
func (s *Service) DeleteActivity(text *string) error {
	if err := checkActivity(text, nil); err != nil {
		return err
	}
	s.tokens.remove(*text)
	return s.saveActivities()
}

// A storedActivity is an entry in the file of activities.
type storedActivity struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	Created time.Time `json:"created"`
	Tags    []Tag     `json:"tags,omitempty"`
}

// activitiesName is the name of the file of activities, in the folder of
// [Service.Persist].
const activitiesName = "activities.json"

func (s *Service) saveActivities() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data == "" {
		return nil
	}
	list := []storedActivity{}
	for _, a := range s.tokens.list() {
		list = append(list, storedActivity{a.name, a.arn, a.created, a.tags})
	}
	text, err := json.Marshal(list)
	if err == nil {
		err = writeFile(filepath.Join(s.data, activitiesName), text)
	}
	if err != nil {
		return fmt.Errorf("keep activities: %w", err)
	}
	return nil
}

func (s *Service) readActivities(dir string) error {
	file := filepath.Join(dir, activitiesName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var list []storedActivity
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return fmt.Errorf("%s: not a list of stored activities: %w", file, err)
	}
	for _, a := range list {
		if checkARN(a.ARN, "activity", 7) != nil {
			return fmt.Errorf("%s: the ARN %q is not one of an activity", file, a.ARN)
		}
		s.tokens.create(&activity{arn: a.ARN, name: a.Name, created: a.Created, tags: a.Tags})
	}
	return nil
}

// An ActivityTaskOutput is the answer of [Service.ActivityTask]: without a token if no
// task arrived.
type ActivityTaskOutput struct {
	TaskToken *string `json:"taskToken,omitempty"`
	Input     *string `json:"input,omitempty"`

	undelivered func() // offers the task to the next worker; nil without one
}

// ActivityTask waits up to a minute for a task of an activity ([GetActivityTask]). A task
// goes to one worker. A [Handler] offers it to the next one if the answer cannot be written,
// because the worker has disconnected by then.
//
// [GetActivityTask]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html
func (s *Service) ActivityTask(ctx context.Context, text, worker *string) (*ActivityTaskOutput, error) {
	if err := checkActivity(text, worker); err != nil {
		return nil, err
	}
	name := ""
	if worker != nil {
		name = *worker
	}
	ctx, stop := s.stoppable(ctx)
	defer stop(nil)
	task, err := s.tokens.take(ctx, *text, name)
	if err != nil {
		return nil, err
	}
	if task.token == "" {
		return &ActivityTaskOutput{}, nil
	}
	input := string(task.input)
	return &ActivityTaskOutput{&task.token, &input, func() { s.tokens.putBack(*text, task) }}, nil
}

// A ListActivitiesOutput is the answer of [Service.ListActivities].
type ListActivitiesOutput struct {
	Activities []ActivityItem `json:"activities"`
	NextToken  string         `json:"nextToken,omitempty"`
}

// ListActivities returns the activities in the order of their ARNs.
func (s *Service) ListActivities(in ListInput) (*ListActivitiesOutput, error) {
	var c constraints
	c.page(in.MaxResults, in.NextToken, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	all := s.tokens.list()
	arns := make([]string, len(all))
	byARN := make(map[string]*activity, len(all))
	for i, a := range all {
		arns[i], byARN[a.arn] = a.arn, a
	}
	arns, next, err := page(arns, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ListActivitiesOutput{Activities: make([]ActivityItem, len(arns)), NextToken: next}
	for i, arn := range arns {
		a := byARN[arn]
		out.Activities[i] = ActivityItem{a.arn, a.name, epoch(a.created)}
	}
	return out, nil
}

func checkActivity(text, worker *string) *Error {
	var c constraints
	c.arn("activityArn", text)
	c.text("workerName", worker, 1, maxName)
	if err := c.err(); err != nil {
		return err
	}
	return checkARN(*text, "activity", 7)
}

func noActivity(text string) *Error {
	return errorf(ActivityDoesNotExist, "Activity Does Not Exist: '%s'", text)
}

// A TaskAnswer is the request of [Service.SendTask]; a nil member was not sent.
type TaskAnswer struct{ Token, Output, Error, Cause *string }

// The ways to answer a task token.
type taskCall int

const (
	taskSuccess taskCall = iota
	taskFailure
	taskHeartbeat
)

// SendTaskSuccess ends the task of a token with an output ([SendTaskSuccess]). The first
// answer is used; later ones fail with TaskTimedOut, as for every task that has ended.
//
// [SendTaskSuccess]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
func (s *Service) SendTaskSuccess(in TaskAnswer) error { return s.sendTask(in, taskSuccess) }

// SendTaskFailure ends the task of a token with an error and a cause, which are both
// optional.
func (s *Service) SendTaskFailure(in TaskAnswer) error { return s.sendTask(in, taskFailure) }

// SendTaskHeartbeat reports that the task of a token is still in progress.
func (s *Service) SendTaskHeartbeat(in TaskAnswer) error { return s.sendTask(in, taskHeartbeat) }

func (s *Service) sendTask(in TaskAnswer, call taskCall) error {
	var c constraints
	if c.required("taskToken", in.Token != nil) {
		c.secret("taskToken", in.Token, 1, 2048)
	}
	if call == taskSuccess {
		c.required("output", in.Output != nil)
	}
	c.data("output", in.Output)
	c.secret("error", in.Error, 0, maxErrorName)
	c.secret("cause", in.Cause, 0, maxErrorCause)
	if err := c.err(); err != nil {
		return err
	}
	// A nil *Error is not a nil error.
	if err := s.answerTask(in, call); err != nil {
		return err
	}
	return nil
}

func (s *Service) answerTask(in TaskAnswer, call taskCall) *Error {
	switch call {
	case taskHeartbeat:
		return s.tokens.beat(*in.Token)
	case taskFailure:
		failed := &asl.Error{}
		if in.Error != nil {
			failed.Name = *in.Error
		}
		if in.Cause != nil {
			failed.Cause = *in.Cause
		}
		return s.tokens.answer(*in.Token, &asl.Answer{Err: failed})
	}
	output, err := jsonata.Decode([]byte(*in.Output))
	if err != nil {
		return errorf(InvalidOutput, "Invalid Output: '%s'", err)
	}
	return s.tokens.answer(*in.Token, &asl.Answer{Output: output})
}
