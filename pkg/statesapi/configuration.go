package statesapi

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// characters counts as AWS does if the model does not give another unit.
func characters(s string) int { return utf8.RuneCountInString(s) }

func (c *constraints) description(member string, s *string) {
	if s != nil {
		c.sensitive(member, characters(*s), 0, 256)
	}
}

// A settings value holds the configurations of a state machine that are kept but have no
// effect here. A nil one was not sent.
type settings struct{ logging, tracing, encryption *jsonata.Object }

// constrainLogging checks the logging configuration against the API's model.
func (s settings) constrainLogging(c *constraints) {
	if level := member(s.logging, "level"); level != nil {
		c.oneOf("loggingConfiguration.level", level, "ALL", "ERROR", "FATAL", "OFF")
	}
	for i, item := range s.destinations() {
		group := item.Object("cloudWatchLogsLogGroup")
		at := "loggingConfiguration.destinations." + strconv.Itoa(i+1) + ".member.cloudWatchLogsLogGroup.logGroupArn"
		c.text(at, member(group, "logGroupArn"), 1, maxARN)
	}
}

// constrainEncryption checks the encryption configuration against the API's model.
func (s settings) constrainEncryption(c *constraints) {
	if s.encryption == nil {
		return
	}
	kind := member(s.encryption, "type")
	if c.required("encryptionConfiguration.type", kind != nil) {
		c.oneOf("encryptionConfiguration.type", kind, "AWS_OWNED_KEY", customerKey)
	}
	c.text("encryptionConfiguration.kmsKeyId", member(s.encryption, "kmsKeyId"), 1, 2048)
	period, _ := s.encryption.Get("kmsDataKeyReusePeriodSeconds")
	if n, ok := jsonata.Force(period).(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			c.between("encryptionConfiguration.kmsDataKeyReusePeriodSeconds", i, 60, 900)
		}
	}
}

const (
	customerKey = "CUSTOMER_MANAGED_KMS_KEY"
	levelOff    = "OFF"
)

// check refuses settings that would not work in AWS either. There are no log groups here,
// so only the form of a destination is checked.
func (s settings) check() *Error {
	if s.encryption != nil && *member(s.encryption, "type") == customerKey && deref(member(s.encryption, "kmsKeyId")) == "" {
		return errorf(InvalidEncryption, "Invalid Encryption Configuration: 'kmsKeyId' is required for the type '%s'.", customerKey)
	}
	if s.logging == nil {
		return nil
	}
	destinations := s.destinations()
	level := member(s.logging, "level")
	if len(destinations) > 1 || len(destinations) == 0 && level != nil && *level != levelOff {
		return errorf(InvalidLogging, "Invalid Logging Configuration: Must specify exactly one Log Destination.")
	}
	for _, o := range destinations {
		if !isLogGroup(deref(member(o.Object("cloudWatchLogsLogGroup"), "logGroupArn"))) {
			return errorf(InvalidLogging, "Invalid Logging Configuration: Log Destination not found.")
		}
	}
	return nil
}

// destinations returns the log destinations of a state machine; an entry that is not an object is nil.
func (s settings) destinations() []*jsonata.Object {
	if s.logging == nil {
		return nil
	}
	list := s.logging.List("destinations")
	objects := make([]*jsonata.Object, len(list))
	for i, item := range list {
		objects[i], _ = jsonata.Force(item).(*jsonata.Object)
	}
	return objects
}

// isLogGroup reports whether a text has the form
// arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*.
func isLogGroup(text string) bool {
	parts := strings.Split(text, ":")
	return len(parts) == 8 && parts[0] == "arn" && parts[2] == "logs" && parts[5] == "log-group" && parts[6] != "" && parts[7] == "*"
}

// withDefaults fills in AWS's defaults.
func (s settings) withDefaults() settings {
	return settings{
		logging:    withMembers(s.logging, "level", levelOff, "includeExecutionData", false),
		tracing:    withMembers(s.tracing, "enabled", false),
		encryption: withMembers(s.encryption, "type", "AWS_OWNED_KEY"),
	}
}

// withMembers returns a copy of o with the members that it lacks, given as name, value,
// name, value. Added members come first, so that settings that were sent and filled in
// compare equal.
func withMembers(o *jsonata.Object, members ...any) *jsonata.Object {
	full := jsonata.NewObject(o.Len() + len(members)/2)
	for i := 0; i < len(members); i += 2 {
		full.Set(members[i].(string), members[i+1])
	}
	for i := range o.Len() {
		if name, v := o.At(i); jsonata.Force(v) != nil {
			full.Set(name, v)
		}
	}
	return full
}

// member returns a string member of an object that may be nil.
func member(o *jsonata.Object, name string) *string {
	if o == nil {
		return nil
	}
	v, _ := o.Get(name)
	if s, ok := jsonata.Force(v).(string); ok {
		return &s
	}
	return nil
}

// checkRole only checks the form, arn:PARTITION:iam::ACCOUNT:role/NAME, because there is
// no IAM here.
func checkRole(role *string) *Error {
	if role == nil {
		return nil
	}
	if !strings.HasPrefix(*role, "arn:") {
		return errorf(InvalidArn, "Invalid Role Arn: 'Invalid ARN prefix: %s'", *role)
	}
	const parts, service, resource = 6, 2, 5
	part := strings.SplitN(*role, ":", parts)
	if len(part) == parts && part[service] == "iam" {
		if name, is := strings.CutPrefix(part[resource], "role/"); is && name != "" {
			return nil
		}
	}
	return errorf(InvalidArn, "Invalid Role Arn: '%s'", *role)
}

func checkDescription(description *string, publish bool) *Error {
	if deref(description) != "" && !publish {
		return errorf(ValidationException, "Version description can only be set when publish is true")
	}
	return nil
}
