package statesapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A script is a sequence of operations on one service, with the answers that clients see.
type script []struct{ op, request, want string }

func (steps script) run(t *testing.T, h http.Handler) {
	t.Helper()
	for i, step := range steps {
		status, header, got := post(t, h, step.op, step.request)
		if status != http.StatusOK {
			checkError(t, step.op, header.Get(headerErrorType))
		}
		text := must(t, normal(t, got))
		if status != http.StatusOK {
			kind := got["__type"].(string)
			text = fmt.Sprintf("%s: %s", kind[strings.IndexByte(kind, '#')+1:], got["message"])
			if reason := got["reason"]; reason != nil {
				text += fmt.Sprintf(" (%s)", reason)
			}
		}
		if text != step.want {
			t.Errorf("%d %s %s\n%s", i+1, step.op, step.request, cmp.Diff(step.want, text))
		}
	}
}

// M stands for the ARN of the state machine in scripts.
func arned(steps script) script {
	for i := range steps {
		steps[i].request = strings.ReplaceAll(steps[i].request, "<M>", machineARN)
		steps[i].want = strings.ReplaceAll(steps[i].want, "<M>", machineARN)
	}
	return steps
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	arned(script{
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>"}`, `{"stateMachineVersions":[]}`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>","revisionId":"x"}`, `ConflictException: Failed to publish the State Machine version for revision x. The current State Machine revision is INITIAL.`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>","revisionId":"INITIAL","description":"first"}`, `{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:1"}`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>"}`, `{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:1"}`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>:1"}`, `ValidationException: This operation does not support version or alias ARNs: '<M>:1'`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>x"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>x'`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"x"}`, `InvalidArn: Invalid Arn: 'Invalid ARN prefix: x'`},
		{"PublishStateMachineVersion", `{}`, `ValidationException: 1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>","roleArn":"arn:aws:iam::1:role/b","publish":true,"versionDescription":"second"}`, `{"revisionId":"id-10","stateMachineVersionArn":"<M>:2","updateDate":` + stamp + `}`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>:2","roleArn":"arn:aws:iam::1:role/c"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>:2'`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>:9","roleArn":"arn:aws:iam::1:role/c"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>:9'`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>:2"}`, `MissingRequiredParameter: Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified`},
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>","maxResults":1}`, `{"nextToken":"YWZ0ZXIgMDkyMjMzNzIwMzY4NTQ3NzU4MDU","stateMachineVersions":[{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:2"}]}`},
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>","nextToken":"YWZ0ZXIgMDkyMjMzNzIwMzY4NTQ3NzU4MDU"}`, `{"stateMachineVersions":[{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:1"}]}`},
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>","nextToken":"YQ"}`, `InvalidToken: Invalid Token: 'Invalid token'`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"<M>:2"}`, `{}`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"<M>:2"}`, `{}`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"<M>"}`, `InvalidArn: Invalid Arn: '<M>'`},
		{"StartSyncExecution", `{"stateMachineArn":"<M>:2"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>:2'`},
		// A number is not given twice, and a page continues at its place whatever was published meanwhile.
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>","revisionId":"id-10"}`, `{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:3"}`},
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>","nextToken":"YWZ0ZXIgMDkyMjMzNzIwMzY4NTQ3NzU4MDU"}`, `{"stateMachineVersions":[{"creationDate":` + stamp + `,"stateMachineVersionArn":"<M>:1"}]}`},
		{"DescribeStateMachine", `{"stateMachineArn":"<M>:1","includedData":"METADATA_ONLY"}`, `{"creationDate":` + stamp + `,"definition":"{}","description":"first","encryptionConfiguration":{"type":"AWS_OWNED_KEY"},"loggingConfiguration":{"includeExecutionData":false,"level":"OFF"},"name":"orders","roleArn":"arn:aws:iam::123456789012:role/orders","stateMachineArn":"<M>:1","status":"ACTIVE","tracingConfiguration":{"enabled":false},"type":"EXPRESS"}`},
		{"TagResource", `{"resourceArn":"<M>:1","tags":[]}`, `ResourceNotFound: Resource not found: '<M>:1'`},
	}).run(t, NewHandler(s, HandlerOptions{}))
}

// stamp is the fixed clock on the wire, as encoding/json writes it again.
var stamp = strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', -1, 64)

func TestAliases(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	put(t, s, "other", passDefinition)
	for _, name := range []string{machineARN, s.ARN("other")} {
		if _, err := s.publishVersion(publishInput{StateMachineARN: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.update(updateInput{StateMachineARN: ptr(machineARN), RoleARN: ptr(roleARN), Publish: true}); err != nil {
		t.Fatal(err)
	}
	const (
		first  = `{"stateMachineVersionArn":"<M>:1","weight":100}`
		halves = `[{"stateMachineVersionArn":"<M>:1","weight":50},{"stateMachineVersionArn":"<M>:2","weight":50}]`
	)
	other := s.ARN("other") + ":1"
	arned(script{
		{"CreateStateMachineAlias", `{"name":"PROD","description":"d","routingConfiguration":[` + first + `]}`, `{"creationDate":` + stamp + `,"stateMachineAliasArn":"<M>:PROD"}`},
		{"CreateStateMachineAlias", `{"name":"PROD","description":"d","routingConfiguration":[` + first + `]}`, `{"creationDate":` + stamp + `,"stateMachineAliasArn":"<M>:PROD"}`},
		{"CreateStateMachineAlias", `{"name":"PROD","routingConfiguration":` + halves + `}`, `ConflictException: Failed to create alias because an alias with the same name and a different routing configuration already exists.`},
		{"CreateStateMachineAlias", `{}`, `ValidationException: 2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value null at 'routingConfiguration' failed to satisfy constraint: Member must not be null`},
		{"CreateStateMachineAlias", `{"name":"123","routingConfiguration":[` + first + `]}`, `ValidationException: 1 validation error detected: Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`},
		{"CreateStateMachineAlias", `{"name":"a b","routingConfiguration":[` + first + `]}`, `ValidationException: 1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`},
		{"CreateStateMachineAlias", `{"name":"` + strings.Repeat("a", 81) + `","routingConfiguration":[` + first + `]}`, `ValidationException: 1 validation error detected: Value '` + strings.Repeat("a", 81) + `' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[]}`, `ValidationException: 1 validation error detected: Value '[]' at 'routingConfiguration' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[` + first + `,` + first + `,` + first + `]}`, `ValidationException: 1 validation error detected: Value '[` + strings.Repeat(", RoutingConfigurationListItem(stateMachineVersionArn=<M>:1, weight=100)", 3)[2:] + `]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":101}]}`, `ValidationException: 1 validation error detected: Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":"100"}]}`, `SerializationException: STRING_VALUE can not be converted to an Integer`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[1]}`, `SerializationException: NUMBER_VALUE can not be converted to a Structure`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":50},{"stateMachineVersionArn":"<M>:1","weight":50}]}`, `ValidationException: Routing configuration must contain distinct state machine version ARNs. Received: [<M>:1, <M>:1] (INVALID_ROUTING_CONFIGURATION)`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":50},{"stateMachineVersionArn":"<M>:2","weight":40}]}`, `ValidationException: Sum of routing configuration weights must equal 100. Received: [50, 40] (INVALID_ROUTING_CONFIGURATION)`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>","weight":100}]}`, `ValidationException: Routing configuration must contain state machine version ARNs. Received: [<M>] (INVALID_ROUTING_CONFIGURATION)`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":50},{"stateMachineVersionArn":"` + other + `","weight":50}]}`, `ValidationException: Routing configuration must contain versions of one state machine. Received: [<M>:1, ` + other + `] (INVALID_ROUTING_CONFIGURATION)`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>:9","weight":100}]}`, `ResourceNotFound: Request references a resource that does not exist.`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"<M>x:1","weight":100}]}`, `ResourceNotFound: Request references a resource that does not exist.`},
		{"CreateStateMachineAlias", `{"name":"a","routingConfiguration":[{"stateMachineVersionArn":"x","weight":100}]}`, `InvalidArn: Invalid Arn: 'Invalid ARN prefix: x'`},
		{"CreateStateMachineAlias", `{"name":"BETA.2","routingConfiguration":` + halves + `}`, `{"creationDate":` + stamp + `,"stateMachineAliasArn":"<M>:BETA.2"}`},
		{"ListStateMachineAliases", `{"stateMachineArn":"<M>","maxResults":1}`, `{"nextToken":"` + pageToken(latestFirst(at)+"BETA.2") + `","stateMachineAliases":[{"creationDate":` + stamp + `,"stateMachineAliasArn":"<M>:BETA.2"}]}`},
		{"ListStateMachineAliases", `{"stateMachineArn":"<M>:2"}`, `{"stateMachineAliases":[{"creationDate":` + stamp + `,"stateMachineAliasArn":"<M>:BETA.2"}]}`},
		{"ListStateMachineAliases", `{"stateMachineArn":"<M>x"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>x'`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"<M>:1"}`, `ConflictException: Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [BETA.2, PROD]`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD","routingConfiguration":[{"stateMachineVersionArn":"<M>:2","weight":100}]}`, `{"updateDate":` + stamp + `}`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD"}`, `ValidationException: Either the description or the RoutingConfiguration must be specified (MISSING_REQUIRED_PARAMETER)`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"<M>:NONE","description":""}`, `ResourceNotFound: Request references a resource that does not exist.`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD","routingConfiguration":[{"stateMachineVersionArn":"` + other + `","weight":100}]}`, `ValidationException: Routing configuration must contain versions of the alias's own state machine. Received: [` + s.ARN("other") + `] (INVALID_ROUTING_CONFIGURATION)`},
		{"DescribeStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD"}`, `{"creationDate":` + stamp + `,"description":"d","name":"PROD","routingConfiguration":[{"stateMachineVersionArn":"<M>:2","weight":100}],"stateMachineAliasArn":"<M>:PROD","updateDate":` + stamp + `}`},
		{"DescribeStateMachineAlias", `{"stateMachineAliasArn":"<M>:NONE"}`, `ResourceNotFound: Request references a resource that does not exist.`},
		{"DeleteStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD"}`, `{}`},
		{"DeleteStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD"}`, `{}`},
		{"StartSyncExecution", `{"stateMachineArn":"<M>:PROD"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>:PROD'`},
		{"DeleteStateMachine", `{"stateMachineArn":"<M>"}`, `{}`},
		{"DescribeStateMachineAlias", `{"stateMachineAliasArn":"<M>:BETA.2"}`, `ResourceNotFound: Request references a resource that does not exist.`},
	}).run(t, NewHandler(s, HandlerOptions{}))
}

// An alias sends executions to its versions by their weights.
func TestRouting(t *testing.T) {
	t.Parallel()
	var random float64
	s := newService(t, Options{Random: func() float64 { return random }}, passDefinition)
	publish := func(definition string) string {
		t.Helper()
		out, err := s.update(updateInput{StateMachineARN: ptr(machineARN), Definition: &definition, Publish: true})
		if err != nil {
			t.Fatal(err)
		}
		return out.StateMachineVersionARN
	}
	result := func(n int) string {
		return fmt.Sprintf(`{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": %d, "End": true}}}`, n)
	}
	first, second := publish(result(1)), publish(result(2))
	publish(result(3))
	routes := []routingItem{{&first, ptr[int64](30)}, {&second, ptr[int64](70)}}
	made, err := s.createAlias(createAliasInput{Name: ptr("PROD"), Routes: routes})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[float64]string{0: "1", 0.29: "1", 0.31: "2", 0.999: "2"} {
		random = n
		got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: &made.StateMachineAliasARN})
		if err != nil || string(got.Output) != want || got.StateMachineARN != made.StateMachineAliasARN {
			t.Errorf("%v: %s %s %v, want version %s", n, got.Output, got.StateMachineARN, err, want)
		}
	}
	got, err := s.Describe(DescribeInput{StateMachineARN: &made.StateMachineAliasARN})
	if err != nil || got.Definition != result(2) || got.StateMachineARN != made.StateMachineAliasARN {
		t.Errorf("Describe = %+v, %v, want the version that most executions get", got, err)
	}
}

// Lists of aliases and of executions begin with the latest one; executions that have ended
// are ordered by their end.
func TestListsBeginWithTheLast(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	release := make(chan struct{})
	s := newFake(t, Options{Now: func() time.Time { return at.Add(time.Duration(clock.Add(1)) * time.Second) }}, func(ctx context.Context, x Execution) Result {
		if x.Name == "short" {
			<-release
			return echo(ctx, x)
		}
		return untilStopped(ctx, x)
	})
	if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Publish: true}); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("std")
	for _, name := range []string{"b", "c", "a"} {
		if _, err := s.createAlias(createAliasInput{Name: &name, Routes: []routingItem{{ptr(machine + ":1"), ptr[int64](100)}}}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	aliases, err := s.listAliases(listAliasesInput{StateMachineARN: &machine})
	for _, a := range aliases.Aliases {
		got = append(got, strings.TrimPrefix(a.StateMachineAliasARN, machine+":"))
	}
	if want := []string{"a", "c", "b"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("aliases = %v, %v, want %v", got, err, want)
	}
	list := func(want ...string) {
		t.Helper()
		var got []string
		out, err := s.listExecutions(listExecutionsInput{StateMachineARN: &machine})
		for _, x := range out.Executions {
			got = append(got, x.Name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("executions = %v, %v, want %v", got, err, want)
		}
	}
	for _, name := range []string{"short", "long"} {
		if _, err := s.Start(StartInput{StateMachineARN: &machine, Name: &name}); err != nil {
			t.Fatal(err)
		}
	}
	list("long", "short")
	close(release)
	waitEnded(t, s, strings.Replace(machine, "stateMachine", "execution", 1)+":short")
	list("short", "long")
	if _, err := s.stopExecution(stopExecutionInput{ExecutionARN: ptr(strings.Replace(machine, "stateMachine", "execution", 1) + ":long")}); err != nil {
		t.Fatal(err)
	}
}
