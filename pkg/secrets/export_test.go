package secrets

// The times of the cache, for the tests of this package.
const (
	RefreshInterval = refreshInterval
	StaleLimit      = staleLimit
)
