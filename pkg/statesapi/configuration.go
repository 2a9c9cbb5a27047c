package statesapi

import (
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// characters counts as AWS does where the model gives no other unit.
func characters(s string) int { return utf8.RuneCountInString(s) }

func (c *constraints) description(s *string) {
	if s != nil {
		c.sensitive("versionDescription", characters(*s), 0, 256)
	}
}

// configurations checks the enumerations of what is kept and changes nothing.
func (c *constraints) configurations(logging, encryption *jsonata.Object) {
	if level := member(logging, "level"); level != nil {
		c.oneOf("loggingConfiguration.level", level, "ALL", "ERROR", "FATAL", "OFF")
	}
	if encryption != nil {
		kind := member(encryption, "type")
		if c.required("encryptionConfiguration.type", kind != nil) {
			c.oneOf("encryptionConfiguration.type", kind, "AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY")
		}
	}
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

// checkRole looks at the form alone: there is no IAM here to ask.
func checkRole(role *string) *Error {
	if role != nil && !strings.HasPrefix(*role, "arn:") {
		return errorf(InvalidArn, "Invalid Role Arn: 'Invalid ARN prefix: %s'", *role)
	}
	return nil
}

func checkDescription(description *string, publish bool) *Error {
	if deref(description) != "" && !publish {
		return errorf(ValidationException, "Version description can only be set when publish is true")
	}
	return nil
}
