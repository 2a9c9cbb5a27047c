package jsonata

// With returns the same expression with other limits, another clock or another random
// source. Zero fields keep the settings of the expression. StepFunctions and Functions have
// no effect, because the language stays the same.
func (e *Expr) With(o Options) *Expr {
	conf := *e.conf
	o.limit(&conf)
	other := *e
	other.conf = &conf
	return &other
}
