package verify

// DefaultTolerance is for the tests of this package.
const DefaultTolerance = defaultTolerance

// WithoutTools returns the providers and blocks whose scheme has no case in tools.go.
func WithoutTools() []string {
	var names []string
	for _, rows := range presets {
		for i := range rows {
			if rows[i].scheme.tools() == &noneTools {
				names = append(names, rows[i].Name)
			}
		}
	}
	for _, b := range blocks {
		if b.scheme != nil && b.scheme != &noneScheme && b.scheme.tools() == &noneTools {
			names = append(names, b.key)
		}
	}
	return names
}
