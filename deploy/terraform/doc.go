// Package terraform holds the tests of the Terraform module in this folder.
package terraform
