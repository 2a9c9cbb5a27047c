package statesapi

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of the API's model.
const (
	maxARN        = 256
	maxName       = 80
	maxInput      = 262144  // bytes of UTF-8
	maxDefinition = 1048576 // characters
	maxTrace      = 256
	maxToken      = 1024
	maxPage       = 1000
	maxTags       = 50
)

// constraints collects what a request violates in the API's model. AWS checks all
// of it before anything else, and reports all of it at once, here in the model's order.
type constraints []string

// err returns the ValidationException, or nil.
func (c constraints) err() *Error {
	switch len(c) {
	case 0:
		return nil
	case 1:
		return errorf(ValidationException, "1 validation error detected: %s", c[0])
	}
	return errorf(ValidationException, "%d validation errors detected: %s", len(c), strings.Join(c, "; "))
}

func (c *constraints) add(value, member, constraint string) {
	*c = append(*c, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

func quoted(s string) string { return " '" + s + "'" }

func (c *constraints) required(member string, present bool) bool {
	if !present {
		c.add(" null", member, "Member must not be null")
	}
	return present
}

// text checks a string's length in characters; a nil member was not sent.
func (c *constraints) text(member string, s *string, least, most int) {
	if s == nil {
		return
	}
	if n := utf8.RuneCountInString(*s); n < least || n > most {
		c.length(quoted(*s), member, n, least, most)
	}
}

// sensitive checks a length as text does, and keeps the value out of the message,
// as AWS does for members that its model marks as sensitive.
func (c *constraints) sensitive(member string, n, least, most int) {
	c.length("", member, n, least, most)
}

func (c *constraints) length(value, member string, n, least, most int) {
	if n < least {
		c.add(value, member, "Member must have length greater than or equal to "+strconv.Itoa(least))
	}
	if n > most {
		c.add(value, member, "Member must have length less than or equal to "+strconv.Itoa(most))
	}
}

func (c *constraints) number(member string, n *int64, most int64) {
	if n != nil {
		c.between(member, *n, 0, most)
	}
}

func (c *constraints) between(member string, n, least, most int64) {
	value := quoted(strconv.FormatInt(n, 10))
	if n < least {
		c.add(value, member, "Member must have value greater than or equal to "+strconv.FormatInt(least, 10))
	}
	if n > most {
		c.add(value, member, "Member must have value less than or equal to "+strconv.FormatInt(most, 10))
	}
}

// page checks the members that all listing operations share.
func (c *constraints) page(maxResults *int64, token *string, longest int) {
	c.number("maxResults", maxResults, maxPage)
	c.text("nextToken", token, 1, longest)
}

func (c *constraints) oneOf(member string, s *string, values ...string) {
	if s == nil {
		return
	}
	for _, v := range values {
		if *s == v {
			return
		}
	}
	c.add(quoted(*s), member, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

// arn checks a required ARN. It may include the test case of Step Functions Local.
func (c *constraints) arn(member string, s *string) {
	if c.required(member, s != nil) {
		c.text(member, s, 1, maxARN)
	}
}

func (c *constraints) traceHeader(s *string) {
	if s == nil {
		return
	}
	c.text("traceHeader", s, 0, maxTrace)
	for i := range len(*s) {
		if (*s)[i] >= utf8.RuneSelf {
			c.add(quoted(*s), "traceHeader", `Member must satisfy regular expression pattern: \p{ASCII}*`)
			return
		}
	}
}
