package wiring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/template"
)

// A need is one permission that a route requires or, if optional is true, may have.
type need struct {
	action string
	// resource is an ARN; empty means any.
	resource string
	unknown  bool
	route    *route
	pos      template.Pos
	why      string
	label    string // the name of the resource, for people
	optional bool
	// key marks a permission on a KMS key, which the key's own policy can grant too.
	key bool
}

// needs returns the permissions that a function's routes need.
func (k *checker) needs(m *member) []need {
	var out []need
	add := func(r *route, pos template.Pos, v *template.Value, why string, actions ...string) {
		s, known := v.String()
		for _, action := range actions {
			out = append(out, need{action: action, resource: s, unknown: !known, route: r, pos: pos, why: why, label: k.label(s)})
		}
	}
	for _, r := range m.accepted {
		k.workNeeds(m, r, add)
		out = append(out, k.retryNeeds(m, r, "queue", add)...)
	}
	for _, r := range m.routes {
		k.startNeeds(m, r, add)
		if !r.accepts() {
			k.recordNeeds(m, r, add)
		}
		if r.kind == queue {
			out = append(out, k.retryNeeds(m, r, "sqs", add)...)
		}
		for _, n := range r.secrets() {
			if action, v := k.secretNeed(m, n); v != nil {
				add(r, r.at("verify"), v, "has a secret in", action)
			}
		}
		if n := r.node.Get("verify", "handshake", "store"); n != nil {
			if action, v := k.secretNeed(m, n); v != nil {
				create := map[string]string{"ssm:GetParameter": "ssm:PutParameter", "secretsmanager:GetSecretValue": "secretsmanager:CreateSecret"}
				add(r, r.at("verify"), v, "has a secret in", action)
				add(r, r.at("verify"), v, "puts a secret into", create[action])
			}
		}
		if objects := k.objects(m, r); objects != nil {
			add(r, r.at("offload"), objects, "puts inputs into", "s3:PutObject")
			if key := r.node.Get("offload", "kmsKey"); key != nil {
				out = append(out, k.keyUse(expand(key, m.Function), need{action: "s3:PutObject", route: r, pos: r.at("offload"), why: "encrypts inputs with"})...)
			}
		}
	}
	if m.Type == "AWS::Lambda::Function" || m.Get("Role") != nil {
		for _, mapping := range k.mappings {
			if k.of(mapping.Function) == m {
				add(nil, mapping.Pos(), mapping.Source, "is fed by", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
			}
		}
	}
	return append(out, k.keyNeeds(m, out)...)
}

type adder func(r *route, pos template.Pos, v *template.Value, why string, actions ...string)

// startNeeds adds the permissions for what a route begins: start, resume, or queue.
func (k *checker) startNeeds(m *member, r *route, add adder) {
	if n := r.node.Get("queue"); n != nil {
		add(r, r.at("queue"), k.queueARN(expand(n, m.Function)), "accepts deliveries into", "sqs:SendMessage")
	} else if r.node.Get("start") != nil {
		k.startNeed(m, r, add)
	}
	if r.node.Get("resume") != nil {
		add(r, r.at("resume"), template.Text(r.pos, ""), "resumes tasks of", "states:SendTaskSuccess")
		// A link is rejected unless fail says otherwise, with a page or without.
		if r.node.Get("resume", "fail") != nil || r.text("verify") == "link" {
			add(r, r.at("resume"), template.Text(r.pos, ""), "resumes tasks of", "states:SendTaskFailure")
		}
		if r.node.Get("resume", "heartbeat") != nil {
			add(r, r.at("resume"), template.Text(r.pos, ""), "resumes tasks of", "states:SendTaskHeartbeat")
		}
		if n := r.node.Get("resume", "lookup", "table"); n != nil {
			add(r, r.at("resume", "lookup"), k.arn("dynamodb", "table/", expand(n, m.Function)), "looks up", "dynamodb:GetItem")
		}
	}
}

// workNeeds are the needs of the queue function for the accepted deliveries of an http
// route.
func (k *checker) workNeeds(m *member, r *route, add adder) {
	if r.node.Get("start") != nil {
		k.startNeed(m, r, add)
	}
	k.recordNeeds(m, r, add)
}

// retryNeeds are those of a route that says when a message comes back; the key names its
// queue.
func (k *checker) retryNeeds(m *member, r *route, key string, add adder) []need {
	if r.node.Get("retry") == nil {
		return nil
	}
	for _, mapping := range k.mappings {
		if may, certain := takes(expand(r.node.Get(key), m.Function), mapping.Source); may && certain && k.of(mapping.Function) == m {
			add(r, r.at("retry"), mapping.Source, "retries by visibility on", "sqs:ChangeMessageVisibility")
		}
	}
	return []need{{action: "sqs:ChangeMessageVisibility", unknown: true, optional: true}}
}

// recordNeeds are the needs of the function that processes the route's deliveries.
func (k *checker) recordNeeds(m *member, r *route, add adder) {
	if n := r.node.Get("deadLetterQueue"); n != nil {
		if v := expand(n, m.Function); !emptyText(v) {
			add(r, r.at("deadLetterQueue"), k.queueARN(v), "dead-letters to", "sqs:SendMessage")
		}
	}
	if table := m.Variable("EXPRESSWAY_DEDUPE_TABLE"); r.dedupes() && table != nil && !emptyText(table) {
		add(r, r.at("dedupe"), k.arn("dynamodb", "table/", table), "remembers deliveries in", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
	}
}

func (k *checker) startNeed(m *member, r *route, add adder) {
	action := "states:StartSyncExecution"
	if r.async() {
		action = "states:StartExecution"
	}
	v := expand(r.node.Get("start"), m.Function)
	text, known := v.String()
	switch {
	case known && strings.HasPrefix(text, "arn:"):
		v = template.Text(v.Pos, unqualified(text))
	case known:
		if machine := k.machine(text); machine != nil {
			v = machine.ARN()
		} else { // which has its own finding
			v = template.NotKnown(v.Pos, "the state machine "+text)
		}
	}
	add(r, r.at("start"), v, "starts", action)
}

// secretNeed returns the permission for reading a secret; nil if none is needed.
func (k *checker) secretNeed(m *member, n *template.Node) (action string, arn *template.Value) {
	text, known := expand(n, m.Function).String()
	if !known {
		return "", nil
	}
	ref, err := secrets.Parse(text)
	if err != nil {
		return "", nil
	}
	name := template.Text(n.Pos, ref.Name)
	switch ref.Scheme {
	case secrets.SSM:
		if strings.HasPrefix(ref.Name, "arn:") {
			return "ssm:GetParameter", name
		}
		return "ssm:GetParameter", k.arn("ssm", "parameter/", template.Text(n.Pos, strings.TrimPrefix(ref.Name, "/")))
	case secrets.SecretsManager:
		if !strings.HasPrefix(ref.Name, "arn:") {
			name = k.arn("secretsmanager", "secret:", template.Text(n.Pos, ref.Name+"-XXXXXX"))
		}
		return "secretsmanager:GetSecretValue", name
	}
	return "", nil
}

func emptyText(v *template.Value) bool {
	s, known := v.String()
	return known && s == ""
}

func (k *checker) partition() string {
	return k.template.Pseudo("AWS::Partition")
}

// arn returns an ARN in the template's account and region, unless the name is already an
// ARN.
func (k *checker) arn(service, prefix string, name *template.Value) *template.Value {
	if s, _ := name.String(); strings.HasPrefix(s, "arn:") {
		return name
	}
	head := "arn:" + k.partition() + ":" + service + ":" + k.template.Pseudo("AWS::Region") + ":" + k.template.Pseudo("AWS::AccountId") + ":" + prefix
	return template.Concat(name.Pos, template.Text(name.Pos, head), name)
}

func (k *checker) queueARN(v *template.Value) *template.Value {
	s, known := v.String()
	if !known || strings.HasPrefix(s, "arn:") {
		return v
	}
	return template.Text(v.Pos, queueARNOf(s, "arn:"+k.partition()))
}

// label returns the name of an ARN's resource for people: its logical id, if it has one.
func (k *checker) label(arn string) string {
	for _, r := range k.template.Resources {
		if a, known := r.ARN().String(); known && a == arn {
			return r.ID
		}
	}
	if arn == "" {
		return "*"
	}
	return strings.ReplaceAll(arn, holeText, "…")
}

func (k *checker) checkPermissions(m *member) {
	needs := k.needs(m)
	hidden := false
	said := map[string]bool{}
	for _, n := range needs {
		if n.unknown || said[n.action+n.resource] {
			continue
		}
		said[n.action+n.resource] = true
		granted, certain := k.grants(m, n)
		if granted {
			continue
		}
		if !certain {
			hidden = true
			continue
		}
		k.lacking(m, n)
	}
	if hidden && m.permissions.Unknown != "" {
		k.add(Note, "permission-unknown", m.Pos,
			fmt.Sprintf("not all permissions of %s are known (%s), so those that its routes need are not checked", m.ID, m.permissions.Unknown), "")
	}
	if shared, mine := k.sharers(m); mine && m.permissions.Unknown == "" {
		for _, other := range shared {
			needs = append(needs, k.needs(other)...)
		}
		k.checkExcess(m, needs)
	}
}

// sharers returns the other members that have the function's role. mine is false if the
// role is checked with another member, or also belongs to a function that runs no routes.
func (k *checker) sharers(m *member) (others []*member, mine bool) {
	role, _ := m.Get("Role").String()
	if role == "" {
		return nil, true
	}
	for _, f := range k.template.Functions() {
		if other, _ := f.Get("Role").String(); other != role || f.ID == m.ID {
			continue
		}
		o := k.of(f)
		if o == nil || slices.Index(k.members, o) < slices.Index(k.members, m) {
			return nil, false
		}
		others = append(others, o)
	}
	return others, true
}

// grants accepts any resource for a need that does not name one.
func (k *checker) grants(m *member, n need) (granted, certain bool) {
	if n.resource != "" {
		return m.permissions.Grants(n.action, n.resource)
	}
	for _, s := range m.permissions.Statements {
		if s.Allow && takesAction(s, n.action) {
			return true, true
		}
	}
	return false, m.permissions.Unknown == ""
}

func takesAction(s template.Statement, action string) bool {
	return slices.ContainsFunc(s.Actions, func(v *template.Value) bool {
		lower := template.Text(v.Pos, strings.ToLower(v.Or("")))
		may, _ := lower.Match(strings.ToLower(action), true)
		return may
	})
}

func (k *checker) lacking(m *member, n need) {
	who := "the mapping"
	if n.route != nil {
		who = "the route " + n.route.name
	}
	cure := fmt.Sprintf("Add a statement with Action: %s and Resource: %s", n.action, k.reference(n))
	if n.action == "states:StartSyncExecution" && k.only(m, n, "states:StartExecution") {
		cure += "; StartExecution, which SAM's StepFunctionsExecutionPolicy grants, is another action"
	}
	for _, s := range m.permissions.Statements {
		for _, v := range s.Resources {
			if text, _ := v.String(); strings.HasPrefix(text, n.resource+":") && n.resource != "" {
				cure += "; permission to start an alias or a version is asked of the machine's own ARN, without the qualifier"
			}
		}
	}
	pos := m.At("Policies")
	if m.Get("Role") != nil {
		pos = m.At("Role")
	}
	at := ""
	if n.route != nil {
		at = fmt.Sprintf(" (%s)", n.pos)
	}
	severity := Error
	if n.key && k.template.Resource(n.label) == nil {
		severity = Warning // its policy is elsewhere
		cure += ", unless the key's own policy lets the role use it"
	}
	k.add(severity, "permission-missing", pos, fmt.Sprintf("%s lacks the permission %s on %s, which %s%s %s", m.ID, n.action, n.label, who, at, n.why), cure)
}

// only reports whether the function has another action on the resource.
func (k *checker) only(m *member, n need, action string) bool {
	granted, _ := m.permissions.Grants(action, n.resource)
	return granted
}

// reference returns how a template writes the resource of a need.
func (k *checker) reference(n need) string {
	if r := k.template.Resource(n.label); r != nil {
		switch r.Type {
		case "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine", "AWS::SecretsManager::Secret":
			return "!Ref " + r.ID
		}
		return "!GetAtt " + r.ID + ".Arn"
	}
	switch {
	case strings.HasPrefix(n.action, "states:SendTask"):
		return k.waiting()
	case n.action == "s3:PutObject":
		if r := k.bucket(n.resource); r != nil {
			return "!Sub ${" + r.ID + ".Arn}/*"
		}
		return strings.TrimSuffix(n.resource, "x") + "*"
	}
	if strings.HasSuffix(n.label, "-XXXXXX") {
		return strings.TrimSuffix(n.label, "XXXXXX") + "??????"
	}
	return n.label
}
