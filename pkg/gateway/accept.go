package gateway

import (
	"os"

	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// accepting fills in what takes the deliveries of routes with a queue. Only webhook
// functions need it.
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
