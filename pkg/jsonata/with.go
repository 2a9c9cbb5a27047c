package jsonata

// With returns the same expression with other limits, another clock or another random
// source. Fields that are zero keep what the expression has, and so does the language:
// StepFunctions and Functions have no effect.
func (e *Expr) With(o Options) *Expr {
	conf := *e.conf
	o.limit(&conf)
	other := *e
	other.conf = &conf
	return &other
}
