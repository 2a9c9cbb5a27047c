package gateway

import (
	"os"

	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// accepting sets the client that accepts deliveries into the queues of routes. Only
// webhook functions need it.
func (o Options) accepting() Options {
	if o.Acceptor == nil {
		getenv := o.Getenv
		if getenv == nil {
			getenv = os.Getenv
		}
		o.Acceptor = sqsclient.NewAcceptor(getenv)
	}
	return o
}
