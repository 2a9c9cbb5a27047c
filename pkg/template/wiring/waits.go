package wiring

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/template"
)

// checkWaits ties the routes that resume to what they resume: a state machine that waits,
// and the table in which it has written its token.
func (k *checker) checkWaits(m *member, r *route) {
	if r.node.Get("resume") == nil {
		return
	}
	if !slices.ContainsFunc(k.machines, mayWait) {
		k.add(Note, "resume-without-wait", r.at("resume"),
			fmt.Sprintf("no state machine of %s waits for a task token, so whether something waits for the route %s is not checked", filepath.Base(k.template.File), r.name), "")
	}
	if n := r.node.Get("resume", "lookup", "table"); n != nil {
		k.checkLookup(r, k.arn("dynamodb", "table/", expand(n, m.Function)))
	}
}

// mayWait reports whether a state machine has a task that its token ends, or may have one.
func mayWait(m *template.Machine) bool {
	return m.Definition == nil || len(m.Unknown) > 0 ||
		bytes.Contains(m.Definition, []byte(".waitForTaskToken")) || bytes.Contains(m.Definition, []byte(":activity:"))
}

// waiting returns how a template refers to the state machines that wait.
func (k *checker) waiting() string {
	var names []string
	for _, m := range k.machines {
		if m.Definition != nil && mayWait(m) {
			names = append(names, "!Ref "+m.ID)
		}
	}
	switch len(names) {
	case 0:
		return "the ARN of the state machine that waits"
	case 1:
		return names[0]
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// checkLookup finds tables of the template whose items cannot be read by the route's key.
func (k *checker) checkLookup(r *route, arn *template.Value) {
	text, known := arn.String()
	if !known {
		return
	}
	for _, t := range k.template.Of("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::Serverless::SimpleTable") {
		if own, known := t.ARN().String(); !known || own != text {
			continue
		}
		partition, sort := tableKeys(t)
		attribute := r.text("resume", "lookup", "keyAttribute")
		if attribute == "" {
			attribute = config.DefaultKeyAttribute
		}
		switch {
		case partition != "" && partition != attribute:
			k.add(Error, "lookup-key", r.at("resume", "lookup"),
				fmt.Sprintf("the route %s looks its task up by the attribute %s, and the partition key of %s (%s) is %s: DynamoDB refuses the read", r.name, attribute, t.ID, t.Pos, partition),
				"Write keyAttribute: "+partition)
		case sort != "":
			k.add(Error, "lookup-key", r.at("resume", "lookup"),
				fmt.Sprintf("the route %s looks up its task only by %s, but %s (%s) also has the sort key %s: DynamoDB refuses the read", r.name, attribute, t.ID, t.Pos, sort),
				"Use a table with only a partition key")
		}
	}
}

// tableKeys returns the names of a table's keys; empty where they are not known, or not
// there.
func tableKeys(t *template.Resource) (partition, sort string) {
	if t.Type == "AWS::Serverless::SimpleTable" {
		if name := t.Get("PrimaryKey", "Name"); name != nil {
			return name.Or(""), ""
		}
		return "id", ""
	}
	schema := t.Get("KeySchema")
	if schema == nil {
		return "", ""
	}
	for _, key := range schema.Items {
		switch key.Get("KeyType").Or("") {
		case "HASH":
			partition = key.Get("AttributeName").Or("")
		case "RANGE":
			sort = key.Get("AttributeName").Or("")
		}
	}
	return partition, sort
}
