package sqsbatch

// MaxChanges is the limit that fakes of Queues enforce.
const MaxChanges = maxChanges
