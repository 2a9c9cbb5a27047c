package wiring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/template"
)

// judged lists the services whose permissions a function of the layer uses; others may be
// for its surroundings, such as a network or a log.
var judged = []string{"states", "sqs", "dynamodb", "secretsmanager", "ssm", "s3"}

// spare lists the actions that no route needs but that a function may have on the
// resources that it uses.
var spare = map[string][]string{
	"dynamodb":       {"dynamodb:GetItem", "dynamodb:DescribeTable", "dynamodb:ConditionCheckItem"},
	"secretsmanager": {"secretsmanager:DescribeSecret", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"},
	"ssm":            {"ssm:GetParameters", "ssm:PutParameter"},
	"states":         {"states:SendTaskFailure", "states:SendTaskHeartbeat"},
	"sqs":            {"sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"},
	"s3":             {"s3:AbortMultipartUpload"},
}

func (k *checker) checkExcess(m *member, needs []need) {
	all := slices.Clone(needs)
	for _, n := range needs {
		service, _, _ := strings.Cut(n.action, ":")
		for _, action := range spare[service] {
			if service == "sqs" && action == "sqs:SendMessage" {
				continue // a queue that is only read is not written to
			}
			all = append(all, need{action: action, resource: n.resource, unknown: n.unknown, optional: true})
		}
	}
	for _, mapping := range k.mappings {
		if k.of(mapping.Function) == m {
			s, known := mapping.Source.String()
			for _, action := range spare["sqs"][:5] {
				all = append(all, need{action: action, resource: s, unknown: !known, optional: true})
			}
		}
	}
	for _, v := range k.destinations(m) {
		s, known := v.String()
		all = append(all, need{action: "sqs:SendMessage", resource: s, unknown: !known, optional: true})
	}
	for _, s := range m.permissions.Statements {
		if s.Allow && !s.Not && !s.Managed {
			k.checkStatement(m, s, all)
		}
	}
}

// destinations returns the ARNs of the targets for failed events of the function.
func (k *checker) destinations(m *member) []*template.Value {
	out := []*template.Value{
		m.Get("EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"), m.Get("EventInvokeConfig", "DestinationConfig", "OnSuccess", "Destination"),
		m.Get("DeadLetterQueue", "TargetArn"), m.Get("DeadLetterConfig", "TargetArn"),
	}
	for _, r := range k.template.Of("AWS::Lambda::EventInvokeConfig") {
		if m.Is(r.Get("FunctionName")) {
			out = append(out, r.Get("DestinationConfig", "OnFailure", "Destination"), r.Get("DestinationConfig", "OnSuccess", "Destination"))
		}
	}
	return slices.DeleteFunc(out, func(v *template.Value) bool { return v == nil })
}

// checkStatement finds what a statement grants beyond the needs.
func (k *checker) checkStatement(m *member, s template.Statement, needs []need) {
	used := false
	var idle []string
	for _, v := range s.Actions {
		action, known := v.String()
		service, name, _ := strings.Cut(action, ":")
		if !known || action != "*" && !slices.Contains(judged, strings.ToLower(service)) {
			used = true
			continue
		}
		if action == "*" || name == "*" {
			if m.layer || k.usesService(needs, service) {
				k.excess(s, fmt.Sprintf("%s has the permission %s on %s", m.ID, action, resourceNames(k, s)), k.suggest(needs, service))
			}
			used = true
			continue
		}
		if k.needed(v, s.Resources, needs) {
			used = true
			if s.Template {
				continue
			}
			k.checkBreadth(m, s, v, needs)
			continue
		}
		idle = append(idle, action)
	}
	if !m.layer || len(idle) == 0 || s.Template && used {
		return
	}
	k.excess(s, fmt.Sprintf("%s has the permission %s on %s, which none of its routes needs", m.ID, strings.Join(idle, ", "), resourceNames(k, s)), "Remove it")
}

func (k *checker) excess(s template.Statement, message, cure string) {
	k.add(Warning, "permission-excess", s.Pos, message, cure)
}

// checkBreadth finds resources that are * although the needed one is known.
func (k *checker) checkBreadth(m *member, s template.Statement, action *template.Value, needs []need) {
	for _, v := range s.Resources {
		text, known := v.String()
		if !known || text != "*" && !strings.HasSuffix(text, ":*") && !strings.HasSuffix(text, "/*") {
			continue
		}
		service, _, _ := strings.Cut(action.Or(""), ":")
		if text != "*" && (service == "s3" || strings.Count(text, ":") > 6) {
			continue // an object of a bucket, or the versions of one machine
		}
		if strings.EqualFold(action.Or(""), "states:SendTaskSuccess") || strings.HasPrefix(strings.ToLower(action.Or("")), "states:sendtask") {
			continue // a token belongs to whichever machine issued it
		}
		for _, n := range needs {
			if !n.optional && n.unknown && takesAction(s, n.action) {
				return
			}
		}
		k.excess(s, fmt.Sprintf("%s has the permission %s on %s, more than its routes need", m.ID, action.Or(""), text), k.suggest(needs, service))
	}
}

// suggest names what the routes need of a service.
func (k *checker) suggest(needs []need, service string) string {
	var parts []string
	for _, n := range needs {
		own, _, _ := strings.Cut(n.action, ":")
		if part := n.action + " on " + k.reference(n); !n.optional && !n.unknown && (service == "*" || strings.EqualFold(own, service)) && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "Its routes need nothing of it"
	}
	return "Its routes need only " + strings.Join(parts, ", ")
}

func (k *checker) usesService(needs []need, service string) bool {
	return service == "*" || slices.ContainsFunc(needs, func(n need) bool { return strings.HasPrefix(n.action, service+":") })
}

// needed reports whether an action on one of the resources meets some need.
func (k *checker) needed(action *template.Value, resources []*template.Value, needs []need) bool {
	lower := template.Text(action.Pos, strings.ToLower(action.Or("")))
	return slices.ContainsFunc(needs, func(n need) bool {
		if may, _ := lower.Match(strings.ToLower(n.action), true); !may {
			return false
		}
		return n.unknown || n.resource == "" || slices.ContainsFunc(resources, func(v *template.Value) bool {
			if may, _ := v.Match(n.resource, true); may {
				return true
			}
			s, _ := v.String() // of a version or an alias, which is another kind of mistake
			return strings.HasPrefix(s, n.resource+":")
		})
	})
}

func resourceNames(k *checker, s template.Statement) string {
	var names []string
	for _, v := range s.Resources {
		text, known := v.String()
		if !known {
			text = v.Show()
		} else if text != "*" {
			text = k.label(text)
		}
		names = append(names, text)
	}
	return strings.Join(names, ", ")
}
