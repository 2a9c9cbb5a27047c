// Package imports holds the test of the module's import rules: which package may import
// which. docs/architecture.md says why. It also holds the tests of the project's
// documents.
package imports
