package jsonata

import "time"

func defineTimes(define definer) {
	define("now", "<s?s?:s>", 2, func(ev *evaluator, args []any) (any, error) {
		s, err := fromMillis(ev.pictures, ev.millis(), optionalString(args[0], isoPicture), optionalString(args[1], utc))
		return charge(ev, s, err)
	})
	define("millis", "<:n>", 0, func(ev *evaluator, _ []any) (any, error) { return ev.millis(), nil })
	define("fromMillis", "<n-s?s?:s>", 3, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		s, err := fromMillis(ev.pictures, toFloat(args[0]), optionalString(args[1], isoPicture), optionalString(args[2], utc))
		return charge(ev, s, err)
	})
	define("toMillis", "<s-s?:n>", 2, func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		picture, ok := args[1].(string)
		if !ok {
			return toMillisISO(s)
		}
		return toMillis(ev.pictures, s, picture, ev.time(), ev.spend)
	})
}

// time returns the time of the evaluation, which stays the same throughout.
func (ev *evaluator) time() time.Time {
	if ev.now.IsZero() {
		ev.now = ev.clock()
	}
	return ev.now
}

func (ev *evaluator) millis() float64 { return float64(ev.time().UnixMilli()) }
