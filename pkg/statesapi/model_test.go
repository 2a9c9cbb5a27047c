package statesapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// apiModel has the members of each operation as the API's model has them: name, * where
// it is required, and type: t for text with its length, s for text that messages do not
// quote, e for an enumeration, i for a whole number with its range, b for a boolean, l for
// a list and o for a structure. No number stands for no bound. Behind ! are its errors.
const apiModel = `
CreateActivity name*:t1-80 tags:l !ActivityLimitExceeded,ActivityAlreadyExists,InvalidName,TooManyTags,InvalidEncryptionConfiguration
CreateStateMachine name*:t1-80 definition*:s1-1048576 roleArn*:t1-256 type:e(STANDARD|EXPRESS) loggingConfiguration:o tags:l tracingConfiguration:o publish:b versionDescription:s-256 encryptionConfiguration:o !InvalidArn,InvalidDefinition,InvalidName,InvalidLoggingConfiguration,InvalidTracingConfiguration,StateMachineAlreadyExists,StateMachineDeleting,StateMachineLimitExceeded,StateMachineTypeNotSupported,TooManyTags,ValidationException,ConflictException,InvalidEncryptionConfiguration
CreateStateMachineAlias description:s-256 name*:t1-80 routingConfiguration*:l !InvalidArn,InvalidName,ValidationException,StateMachineDeleting,ResourceNotFound,ConflictException,ServiceQuotaExceededException
DeleteActivity activityArn*:t1-256 !InvalidArn
DeleteStateMachine stateMachineArn*:t1-256 !InvalidArn,ValidationException
DeleteStateMachineAlias stateMachineAliasArn*:t1-256 !ValidationException,InvalidArn,ResourceNotFound,ConflictException
DeleteStateMachineVersion stateMachineVersionArn*:t1-2000 !ValidationException,InvalidArn,ConflictException
DescribeActivity activityArn*:t1-256 !ActivityDoesNotExist,InvalidArn
DescribeExecution executionArn*:t1-256 includedData:e(ALL_DATA|METADATA_ONLY) !ExecutionDoesNotExist,InvalidArn
DescribeMapRun mapRunArn*:t1-2000 !ResourceNotFound,InvalidArn
DescribeStateMachine stateMachineArn*:t1-256 includedData:e(ALL_DATA|METADATA_ONLY) !InvalidArn,StateMachineDoesNotExist
DescribeStateMachineAlias stateMachineAliasArn*:t1-256 !ValidationException,InvalidArn,ResourceNotFound
DescribeStateMachineForExecution executionArn*:t1-256 includedData:e(ALL_DATA|METADATA_ONLY) !ExecutionDoesNotExist,InvalidArn
GetActivityTask activityArn*:t1-256 workerName:t1-80 !ActivityDoesNotExist,ActivityWorkerLimitExceeded,InvalidArn
GetExecutionHistory executionArn*:t1-256 maxResults:i0-1000 reverseOrder:b nextToken:t1-1024 includeExecutionData:b !ExecutionDoesNotExist,InvalidArn,InvalidToken
ListActivities maxResults:i0-1000 nextToken:t1-1024 !InvalidToken
ListExecutions stateMachineArn:t1-256 statusFilter:e(SUCCEEDED|TIMED_OUT|PENDING_REDRIVE|ABORTED|FAILED|RUNNING) maxResults:i0-1000 nextToken:t1-3096 mapRunArn:t1-2000 redriveFilter:e(REDRIVEN|NOT_REDRIVEN) !InvalidArn,InvalidToken,StateMachineDoesNotExist,StateMachineTypeNotSupported,ValidationException,ResourceNotFound
ListMapRuns executionArn*:t1-256 maxResults:i0-1000 nextToken:t1-1024 !ExecutionDoesNotExist,InvalidArn,InvalidToken
ListStateMachineAliases stateMachineArn*:t1-256 nextToken:t1-1024 maxResults:i0-1000 !InvalidArn,InvalidToken,ResourceNotFound,StateMachineDoesNotExist,StateMachineDeleting
ListStateMachineVersions stateMachineArn*:t1-256 nextToken:t1-1024 maxResults:i0-1000 !ValidationException,InvalidArn,InvalidToken
ListStateMachines maxResults:i0-1000 nextToken:t1-1024 !InvalidToken
ListTagsForResource resourceArn*:t1-256 !InvalidArn,ResourceNotFound
PublishStateMachineVersion stateMachineArn*:t1-256 revisionId:t description:s-256 !ValidationException,StateMachineDeleting,StateMachineDoesNotExist,ServiceQuotaExceededException,ConflictException,InvalidArn
RedriveExecution executionArn*:t1-256 clientToken:t1-64 !ExecutionDoesNotExist,ExecutionNotRedrivable,ExecutionLimitExceeded,InvalidArn,ValidationException
SendTaskFailure taskToken*:s1-2048 error:s-256 cause:s-32768 !TaskDoesNotExist,InvalidToken,TaskTimedOut
SendTaskHeartbeat taskToken*:s1-2048 !TaskDoesNotExist,InvalidToken,TaskTimedOut
SendTaskSuccess taskToken*:s1-2048 output*:s-262144 !TaskDoesNotExist,InvalidOutput,InvalidToken,TaskTimedOut
StartExecution stateMachineArn*:t1-256 name:t1-80 input:s-262144 traceHeader:t-256 !ExecutionLimitExceeded,ExecutionAlreadyExists,InvalidArn,InvalidExecutionInput,InvalidName,StateMachineDoesNotExist,StateMachineDeleting,ValidationException
StartSyncExecution stateMachineArn*:t1-256 name:t1-80 input:s-262144 traceHeader:t-256 includedData:e(ALL_DATA|METADATA_ONLY) !InvalidArn,InvalidExecutionInput,InvalidName,StateMachineDoesNotExist,StateMachineDeleting,StateMachineTypeNotSupported
StopExecution executionArn*:t1-256 error:s-256 cause:s-32768 !ExecutionDoesNotExist,InvalidArn,ValidationException
TagResource resourceArn*:t1-256 tags*:l !InvalidArn,ResourceNotFound,TooManyTags
TestState definition*:s1-1048576 roleArn:t1-256 input:s-262144 inspectionLevel:e(INFO|DEBUG|TRACE) revealSecrets:b variables:s-262144 stateName:s1-80 mock:o context:s-262144 stateConfiguration:o !InvalidArn,InvalidDefinition,InvalidExecutionInput,ValidationException
UntagResource resourceArn*:t1-256 tagKeys*:l !InvalidArn,ResourceNotFound
UpdateMapRun mapRunArn*:t1-2000 maxConcurrency:i0- toleratedFailurePercentage:f toleratedFailureCount:i0- !ResourceNotFound,InvalidArn,ValidationException
UpdateStateMachine stateMachineArn*:t1-256 definition:s1-1048576 roleArn:t1-256 loggingConfiguration:o tracingConfiguration:o publish:b versionDescription:s-256 encryptionConfiguration:o !InvalidArn,InvalidDefinition,InvalidLoggingConfiguration,InvalidTracingConfiguration,MissingRequiredParameter,StateMachineDeleting,StateMachineDoesNotExist,ServiceQuotaExceededException,ConflictException,ValidationException,InvalidEncryptionConfiguration
UpdateStateMachineAlias stateMachineAliasArn*:t1-256 description:s-256 routingConfiguration:l !ValidationException,InvalidArn,ResourceNotFound,ConflictException,StateMachineDeleting
ValidateStateMachineDefinition definition*:s1-1048576 type:e(STANDARD|EXPRESS) severity:e(ERROR|WARNING) maxResults:i0-100 !ValidationException
`

// A modelMember is one member of apiModel.
type modelMember struct {
	name, kind string
	required   bool
}

// commonErrors are those of AWS's front end, which every operation can have.
var commonErrors = []Code{
	ValidationException, SerializationException, UnknownOperationException, ThrottlingException, ServiceUnavailable, InternalFailure,
}

// checkError reports an error that an operation does not have: SDKs would not know it.
func checkError(t *testing.T, op, code string) {
	t.Helper()
	_, line, _ := strings.Cut(apiModel, "\n"+op+" ")
	line, _, _ = strings.Cut(line, "\n")
	_, errors, known := strings.Cut(line, "!")
	if known && !slices.Contains(strings.Split(errors, ","), code) && !slices.Contains(commonErrors, Code(code)) {
		t.Errorf("%s answers %s, which is not one of its errors", op, code)
	}
}

func readModel() map[string][]modelMember {
	model := map[string][]modelMember{}
	for line := range strings.Lines(strings.TrimSpace(apiModel)) {
		words := strings.Fields(line)
		members := []modelMember{}
		for _, word := range words[1 : len(words)-1] {
			name, kind, _ := strings.Cut(word, ":")
			name, required := strings.CutSuffix(name, "*")
			members = append(members, modelMember{name, kind, required})
		}
		model[words[0]] = members
	}
	return model
}

// right is a value that the member's type takes.
func (m modelMember) right() any {
	switch m.kind[0] {
	case 'l':
		return []any{}
	case 'o':
		return map[string]any{}
	case 'b':
		return true
	case 'i', 'f':
		return 1
	case 'e':
		value, _, _ := strings.Cut(m.kind[2:], "|")
		return value
	}
	return "x"
}

// wrong are values that break the model, and what is said of each.
func (m modelMember) wrong() map[string]any {
	wrong := map[string]any{}
	at := fmt.Sprintf(" at '%s' failed to satisfy constraint: Member must ", m.name)
	low, high, _ := strings.Cut(m.kind[1:], "-")
	length := func(n int, bound string) {
		text := strings.Repeat("y", n)
		value := "Value '" + text + "'"
		if m.kind[0] == 's' {
			value = "Value"
		}
		wrong[value+at+bound] = text
	}
	most, limited := strconv.Atoi(high)
	switch m.kind[0] {
	case 't', 's':
		if low == "1" {
			length(0, "have length greater than or equal to 1")
		}
		// A definition of more than the model allows is more than a request can have.
		if limited == nil && most < maxRequest {
			length(most+1, "have length less than or equal to "+high)
		}
	case 'i':
		wrong["Value '-1'"+at+"have value greater than or equal to 0"] = -1
		if limited == nil {
			wrong[fmt.Sprintf("Value '%d'%shave value less than or equal to %s", most+1, at, high)] = most + 1
		}
	case 'e':
		set := strings.ReplaceAll(strings.Trim(m.kind[1:], "()"), "|", ", ")
		wrong["Value 'x'"+at+"satisfy enum value set: ["+set+"]"] = "x"
	}
	if m.required {
		wrong["Value null"+at+"not be null"] = nil
	}
	return wrong
}

// Each member of each operation is checked by its type and by the model's constraints,
// before anything else is.
func TestModel(t *testing.T) {
	t.Parallel()
	model := readModel()
	for name := range operations {
		if _, ok := model[name]; !ok {
			t.Errorf("apiModel in model_test.go has no line for %s", name)
		}
	}
	for name := range model {
		if operations[name] == nil {
			t.Errorf("operations.go has no row for %s", name)
		}
	}
	h := NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{})
	for op, members := range model {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			for _, m := range members {
				if m.kind == "f" { // a fraction that nothing here reads
					continue
				}
				for message, value := range m.wrong() {
					code, got := refused(t, h, op, members, m.name, value)
					if !strings.Contains(got, message) || code != "ValidationException" {
						t.Errorf("%s = %.40q: %s %.300s, want %.300s", m.name, fmt.Sprint(value), code, got, message)
					}
				}
				value, want := any(1), "NUMBER_VALUE can not be converted to a"
				if m.kind[0] == 'i' {
					value, want = "1", "STRING_VALUE can not be converted to an Integer"
				}
				if code, got := refused(t, h, op, members, m.name, value); code != "SerializationException" || !strings.HasPrefix(got, want) {
					t.Errorf("%s = %v: %s %s, want %s", m.name, value, code, got, want)
				}
			}
		})
	}
}

// refused sends an operation with its required members, of which one has the value.
func refused(t *testing.T, h *Handler, op string, members []modelMember, name string, value any) (code, message string) {
	t.Helper()
	request := map[string]any{}
	for _, m := range members {
		if m.required {
			request[m.name] = m.right()
		}
	}
	request[name] = value
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	_, header, got := post(t, h, op, string(text))
	message, _ = got["message"].(string)
	code = header.Get(headerErrorType)
	checkError(t, op, code)
	return code, message
}

// Whatever an ARN names, an operation answers with an error of its own, or does its work.
func TestModelOfARNs(t *testing.T) {
	t.Parallel()
	const account = "arn:aws:states:us-east-1:123456789012:"
	arns := []string{
		machineARN, machineARN + ":1", machineARN + ":PROD", machineARN + "x", machineARN + "x:1", machineARN + ":9", machineARN + ":NONE", machineARN + "/label",
		account + "stateMachine:std", account + "execution:std:n", account + "execution:std:x", account + "express:orders:n:u", account + "activity:a",
		account + "mapRun:std/label:u", account + "label:x", account, "arn:aws:lambda:us-east-1:123456789012:function:f", "arn:", "x", roleARN,
	}
	values := map[string]any{
		"definition": passDefinition, "roleArn": roleARN, "description": "d", "tags": []any{map[string]any{"key": "k", "value": "v"}}, "tagKeys": []any{"k"},
	}
	for op, members := range readModel() {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			for _, text := range arns {
				h := newAPI(t)
				request := map[string]any{}
				for _, m := range members {
					switch {
					case m.name == "routingConfiguration":
						request[m.name] = []any{map[string]any{"stateMachineVersionArn": text, "weight": 100}}
					case strings.HasSuffix(m.name, "Arn") && m.name != "roleArn" && m.name != "mapRunArn":
						request[m.name] = text
					case m.required || values[m.name] != nil:
						request[m.name] = cmp.Or(values[m.name], m.right())
					}
				}
				status, header, got := post(t, h, op, must(t, request))
				if status != http.StatusOK {
					checkError(t, op, header.Get(headerErrorType))
				}
				if status >= 500 {
					t.Errorf("%s: got status %d %v, want a refusal", text, status, got)
				}
			}
		})
	}
}

// newAPI has the EXPRESS machine orders with version 1 and the alias PROD, and the
// STANDARD one std with the execution n.
func newAPI(t *testing.T) *Handler {
	t.Helper()
	s := newService(t, Options{}, passDefinition)
	version, err := s.publishVersion(publishInput{StateMachineARN: ptr(machineARN)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.createAlias(createAliasInput{Name: ptr("PROD"), Routes: []routingItem{{&version.StateMachineVersionARN, ptr[int64](100)}}}); err != nil {
		t.Fatal(err)
	}
	startStandard(t, s, passDefinition, `{}`)
	return NewHandler(s, HandlerOptions{})
}

// The table of docs/conformance-api.md lists each operation. It shortens lists of names:
// "Create, DeleteActivity" stands for CreateActivity and DeleteActivity.
func TestOperationsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/conformance-api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "## Operations\n")
	if !found {
		t.Fatal("docs/conformance-api.md has no section Operations")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	verb, documented := regexp.MustCompile(`^[A-Z][a-z]+`), map[string]bool{}
	for row := range strings.Lines(section) {
		cells := strings.Split(row, "|")
		if len(cells) < 2 {
			continue
		}
		noun := ""
		for _, name := range slices.Backward(strings.Split(strings.TrimSpace(cells[1]), ", ")) {
			if verb.FindString(name) == name {
				name += noun
			} else {
				noun = strings.TrimPrefix(name, verb.FindString(name))
			}
			documented[name] = true
		}
	}
	singular := strings.NewReplacer("Activities", "Activity", "Machines", "Machine", "Versions", "Version", "Aliases", "Alias", "Runs", "Run")
	for name := range operations {
		if !documented[name] && !documented[singular.Replace(name)] {
			t.Errorf("docs/conformance-api.md does not list %s", name)
		}
	}
}
