// Package dedupe keeps the records that let the bridge recognize a delivery that it has
// seen before: in memory, for one process, or in a DynamoDB table, for all of them.
//
// A record is absent, in progress until a time, or completed with an answer, as in
// Powertools for AWS Lambda, whose table and item layout [DynamoDB] shares. The package
// decides nothing about deliveries: package bridge says when to claim,
// complete and release.
package dedupe

import (
	"errors"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

var (
	// ErrFull means that a [Memory] holds only records in progress.
	ErrFull = errors.New("the dedupe store is full of deliveries in progress")
	// ErrAnswerTooLarge means that a record was completed without its answer, which is
	// too large: duplicates start nothing, and are answered with null.
	ErrAnswerTooLarge = errors.New("the answer is too large to be kept; duplicates are answered with null")
)

// null is the answer of a record that was completed without its own.
var null = []byte("null")

// Times are stored as Powertools stores them, and compared in the stored unit: seconds
// for when a record is forgotten, milliseconds for when another attempt may take it.
func forgotten(expires, now time.Time) bool { return expires.Unix() < now.Unix() }
func lapsed(until, now time.Time) bool      { return until.UnixMilli() < now.UnixMilli() }

var (
	_ bridge.DedupeStore = (*Memory)(nil)
	_ bridge.DedupeStore = (*DynamoDB)(nil)
)
