// Package reliability runs the whole queue function under faults, and accounts for every
// message.
//
//	queues (a server that speaks SQS) ─► pollers ─► bootstrap ─► faults ─► statesapi ─► asl
//	      ▲      ▲                          │   │
//	      │      └── visibility, dead letters   │
//	      └───────── deletes ───────────────────┘
//
// Everything between the parts goes over its real wire protocol: the pollers do what
// Lambda's event source mapping does, the bootstrap is the compiled function under a
// Lambda runtime API, and the workflows run in the project's own Step Functions. The
// faults are throttles, answers that are lost after the run, errors before and after
// it, slow answers, killed functions, a visibility timeout that expires during a batch, and a
// dead-letter queue that fails.
//
// When every message has ended, the dead letters are put back, once, most of them corrected.
//
// The account then says where each message ended and, for each message that ran to
// success more than once, which fault explains that.
package reliability
