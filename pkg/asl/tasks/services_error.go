package tasks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks/awswire"
)

// refused returns an error of the service with the integration's text: optimised
// integrations have the texts of version 1 of the AWS SDK for Java, and aws-sdk those of
// version 2.
func (c serviceCall) refused(e *awswire.Error) *asl.Error {
	id := cmp.Or(e.RequestID, "local")
	if c.optimised == nil {
		return &asl.Error{
			Name:  c.service.Prefix + "." + c.service.Exception(e.Code),
			Cause: sdkCause(e.Message, c.service.Prefix, e.Status, id),
		}
	}
	o := c.optimised
	exception := c.service.Exception(e.Code)
	if exception == c.service.Prefix+"Exception" {
		exception = o.client + "Exception"
	}
	return &asl.Error{
		Name:  o.prefix + "." + exception,
		Cause: fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", e.Message, o.longName(), e.Status, cmp.Or(e.Code, "null"), id),
	}
}

// unreachable returns what the SDK throws if there is no answer, or one that it cannot
// read.
func (c serviceCall) unreachable(err error) *asl.Error {
	prefix := c.service.Prefix
	if c.optimised != nil {
		prefix = c.optimised.prefix
	}
	err = withoutURL(err) // which contains the arguments of some operations
	return &asl.Error{
		Name:  prefix + ".SdkClientException",
		Cause: fmt.Sprintf("Unable to execute HTTP request: %v (SDK Attempt Count: 1)", err),
	}
}

func sha256Hex(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
