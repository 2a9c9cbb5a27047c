package sqsbatch

// MaxChanges is the limit that fakes of Queues hold callers to.
const MaxChanges = maxChanges
