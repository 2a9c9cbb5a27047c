package wiring

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/words"
	"github.com/expressway-dev/expressway/pkg/template"
)

// objects returns the ARN of an object in the bucket that takes a route's large inputs;
// nil for a route without offload.
func (k *checker) objects(m *member, r *route) *template.Value {
	n := r.node.Get("offload")
	if n == nil {
		return nil
	}
	if to := r.node.Get("offload", "to"); to != nil {
		n = to
	}
	place := expand(n, m.Function)
	if place.IsUnknown() || !strings.HasPrefix(place.Show(), "s3://") {
		return template.NotKnown(n.Pos, "the bucket of the route "+r.name)
	}
	bucket := strings.TrimSuffix(strings.TrimPrefix(place.Show(), "s3://"), "/")
	return template.Text(n.Pos, "arn:"+k.partition()+":s3:::"+bucket+"/x")
}

// How long SQS keeps a message unless the queue says otherwise.
const defaultRetention = 4 * 24 * 60 * 60

// checkBucket finds a bucket in which the large inputs of a route stay forever, or not
// as long as the messages that refer to them.
func (k *checker) checkBucket(m *member, r *route) {
	objects := k.objects(m, r)
	if objects == nil || objects.IsUnknown() {
		return
	}
	b := k.bucket(objects.Show())
	if b == nil || b.Get("LifecycleConfiguration").IsUnknown() {
		return // the bucket belongs to another stack
	}
	days, expires := 0, false
	for _, rule := range b.Get("LifecycleConfiguration", "Rules").List() {
		if v := rule.Get("ExpirationInDays"); v != nil && rule.Get("Status").Or("Enabled") == "Enabled" {
			expires = true
			days, _ = v.Int() // 0 if it is not known
		}
	}
	if !expires {
		k.add(Warning, "bucket-lifecycle", b.At("LifecycleConfiguration"),
			fmt.Sprintf("%s takes the large inputs of the route %s and has no lifecycle rule that expires them: payload stays there forever", b.ID, r.name),
			"Add LifecycleConfiguration with a rule that has Status: Enabled and ExpirationInDays")
		return
	}
	if kept := k.kept(m, r); days > 0 && days*24*60*60 < kept {
		k.add(Warning, "bucket-lifecycle", b.At("LifecycleConfiguration"),
			fmt.Sprintf("%s deletes the large inputs of the route %s after %s, and a message that refers to one may be kept for %s: a message that is put back later refers to nothing", b.ID, r.name, words.Count(days, "day"), words.Count(kept/24/60/60, "day")),
			fmt.Sprintf("Set ExpirationInDays to more than %d", kept/24/60/60))
	}
}

// kept is for how many seconds a message of an accepting route may be in its queue and
// then among the dead letters; 0 for a route that waits for its executions.
func (k *checker) kept(m *member, r *route) int {
	if !r.accepts() {
		return 0
	}
	q := k.queueOf(k.queueARN(expand(r.node.Get("queue"), m.Function)))
	if q == nil {
		return 0
	}
	total := retention(q)
	if dead := k.queueOf(q.Get("RedrivePolicy", "deadLetterTargetArn")); dead != nil {
		total += retention(dead)
	}
	return total
}

// retention is how long a queue keeps messages, in seconds; 0 if that is not known.
func retention(q *template.Resource) int {
	v := q.Get("MessageRetentionPeriod")
	if v == nil {
		return defaultRetention
	}
	n, _ := v.Int()
	return n
}
