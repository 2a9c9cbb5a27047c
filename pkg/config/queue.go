package config

import (
	"cmp"
	"net/url"
	"strings"
)

// A queueID holds the parts of a queue's name, ARN or URL. Unknown parts are empty; each
// part may contain * as a wildcard.
type queueID struct{ partition, region, account, name string }

// parseQueue reads a queue's name, and the URL or ARN that !Ref and !GetAtt return.
func parseQueue(text string) (queueID, bool) {
	switch {
	case strings.HasPrefix(text, "arn:"):
		return parseQueueARN(text)
	case strings.Contains(text, "://"):
		return parseQueueURL(text)
	}
	return queueID{name: text}, isQueueName(text)
}

// QueueARN returns the ARN of a queue, given its URL or ARN. Region and account are used if
// the URL does not contain them.
func QueueARN(address, region, account string) string {
	if strings.HasPrefix(address, "arn:") {
		return address
	}
	q, _ := parseQueue(address)
	return "arn:aws:sqs:" + cmp.Or(q.region, region) + ":" + cmp.Or(q.account, account) + ":" + q.name
}

// isQueueName accepts 1 to 80 letters, digits, - and _, including the .fifo at the end of
// a FIFO queue's name, and * for any text.
func isQueueName(s string) bool {
	if strings.Contains(s, "*") {
		return only(s, letters+digits+"_-*.", 80)
	}
	return len(s) <= 80 && only(strings.TrimSuffix(s, ".fifo"), letters+digits+"_-", 80)
}

// parseQueueARN accepts arn:PARTITION:sqs:REGION:ACCOUNT:NAME; if it has a *, only the
// parts before the * are known.
func parseQueueARN(text string) (queueID, bool) {
	parts := strings.Split(text, ":")
	if len(parts) > 6 || len(parts) < 6 && !strings.Contains(text, "*") {
		return queueID{}, false
	}
	var known [6]string
	for i, part := range parts {
		switch {
		case part == "":
			return queueID{}, false
		case len(parts) == 6 || !strings.Contains(strings.Join(parts[:i+1], ":"), "*"):
			known[i] = part
		}
	}
	if known[2] != "" && !Wildcard(known[2], "sqs") || known[5] != "" && !isQueueName(known[5]) {
		return queueID{}, false
	}
	return queueID{known[1], known[3], known[4], known[5]}, true
}

// parseQueueURL accepts https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, and the URLs of
// other endpoints, which also end in the queue's name.
func parseQueueURL(text string) (queueID, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return queueID{}, false
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	q := queueID{name: segments[len(segments)-1]}
	if n := len(segments); n > 1 && len(segments[n-2]) == 12 && only(segments[n-2], digits, 12) {
		q.account = segments[n-2]
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") {
		if isRegion(label) {
			q.region = label
		}
	}
	return q, isQueueName(q.name)
}

// isRegion accepts names such as eu-west-1 and us-gov-east-1.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || !only(parts[len(parts)-1], digits, 2) {
		return false
	}
	for _, part := range parts[:len(parts)-1] {
		if !only(part, lowercase, 12) {
			return false
		}
	}
	return true
}

// same reports whether two queues have the same name and do not differ in any part that
// is known of both.
func (q queueID) same(other queueID) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return q.name != "" && q.name == other.name && !differ(q.region, other.region) && !differ(q.account, other.account)
}

// Takes reports whether the route takes the messages of the queue with an ARN.
func (s *SQS) Takes(queueARN string) bool {
	switch {
	case strings.Contains(s.Queue, "://"):
		q, _ := parseQueueURL(s.Queue)
		return Wildcard("arn:*:sqs:"+cmp.Or(q.region, "*")+":"+cmp.Or(q.account, "*")+":"+q.name, queueARN)
	case strings.HasPrefix(s.Queue, "arn:"):
		return Wildcard(s.Queue, queueARN)
	}
	return Wildcard(s.Queue, queueARN[strings.LastIndexByte(queueARN, ':')+1:])
}
