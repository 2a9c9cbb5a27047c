package lambdatest

// The limits, for the tests.
const (
	InitLimit   = initLimit
	MaxRequest  = maxRequest
	MaxResponse = maxResponse
)

// LastRequest returns the body of the latest call, or nil before the first.
func (s *StepFunctions) LastRequest() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
