package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// membersOf returns the first-level members of a variable of expressions, or nil if there is
// no such variable. Deeper members depend on the sender: bodies, headers and events.
func membersOf(variable string) []string {
	switch variable {
	case "request":
		return requestMembers
	case "message", "messages":
		return messageMembers
	case "event":
		return eventMembers
	case "context":
		return contextMembers
	case "execution":
		return executionMembers
	case "failure":
		return failureMembers
	}
	return nil
}

var (
	requestMembers = []string{
		"method", "path", "params", "query", "multiQuery", "headers", "cookies", "body", "bodyType",
		"sourceIp", "requestId", "stage", "authorizer",
	}
	messageMembers = []string{
		"messageId", "body", "bodyType", "attributes", "messageAttributes", "queue", "receiveCount", "groupId", "envelope",
	}
	eventMembers = []string{
		"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name",
	}
	contextMembers   = []string{"route", "requestId", "traceId", "traceparent", "receivedAt", "remainingTime"}
	executionMembers = []string{"name", "arn", "status", "output", "startDate", "stopDate", "billing", "stateMachineArn"}
	failureMembers   = []string{"error", "cause", "execution"}
)

// checkReferences refuses variables that do not exist in an expression, members that a
// variable never has, and a path at the top level, where there is no input: such a path
// always selects nothing.
func (d *document) checkReferences(n ast.Node, inner string, references []jsonata.Reference, place bridge.Place, scope []string) {
	for _, ref := range references {
		problem, at := "", ref.Position
		switch known := membersOf(ref.Name); {
		case ref.Kind == jsonata.NameReference && ref.Top:
			problem = bareName(ref.Name, scope)
		case ref.Kind == jsonata.ContextReference && ref.Top, ref.Kind == jsonata.RootReference:
			name := map[jsonata.ReferenceKind]string{jsonata.ContextReference: "$", jsonata.RootReference: "$$"}[ref.Kind]
			problem = fmt.Sprintf("%s refers to nothing here: use one of the variables $%s", name, strings.Join(scope, ", $"))
		case ref.Kind != jsonata.VariableReference:
			continue
		case !slices.Contains(scope, ref.Name):
			problem = fmt.Sprintf("there is no variable $%s here: the variables are $%s", ref.Name, strings.Join(scope, ", $"))
		case len(ref.Members) > 0 && known != nil && !slices.Contains(known, ref.Members[0].Name):
			name := ref.Members[0].Name
			problem, at = fmt.Sprintf("$%s has no %s%s", ref.Name, name, nearestName(name, known)), ref.Members[0].Position
		case d.withheld && isWithheld(ref):
			problem = "a route with includedData: metadata has no $" + pathOf(ref) + ", because the service does not return it"
		default:
			continue
		}
		line, column := d.expressionPlace(n, inner, at)
		d.addAt(line, column, "%s: %s", keyOf(place), problem)
	}
}

// bareName explains what a name at the top level of an expression may have meant.
func bareName(name string, scope []string) string {
	problem := fmt.Sprintf("the name %s refers to nothing at the top level of an expression; ", name)
	if slices.Contains(scope, name) {
		return problem + "write $" + name
	}
	for _, variable := range scope {
		if slices.Contains(membersOf(variable), name) {
			return problem + "write $" + variable + "." + name + `, or "` + name + `" for text`
		}
	}
	return problem + "write $" + strings.Join(scope, " or $") + ", or \"" + name + "\" for text"
}

// isWithheld reports whether a reference is to something that METADATA_ONLY leaves out: an
// execution's output, or the cause of its failure.
func isWithheld(ref jsonata.Reference) bool {
	switch p := pathOf(ref); p {
	case "failure.cause", "failure.execution.output", "execution.output":
		return true
	default:
		return strings.HasPrefix(p, "execution.output.") || strings.HasPrefix(p, "failure.execution.output.")
	}
}

// pathOf writes a reference as in an expression.
func pathOf(ref jsonata.Reference) string {
	text := ref.Name
	for _, m := range ref.Members {
		text += "." + m.Name
	}
	return text
}

// nearestName suggests a similar name, or else lists all known names.
func nearestName(name string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(k, name) || distance(strings.ToLower(k), strings.ToLower(name)) <= 2 {
			return fmt.Sprintf("; did you mean %s?", k)
		}
	}
	return "; it has " + strings.Join(known, ", ")
}
