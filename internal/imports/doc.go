// Package imports holds the test of the module's import rules: which package may
// know which. docs/architecture.md says why.
package imports
