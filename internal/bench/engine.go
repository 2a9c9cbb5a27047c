package main

import "context"

const engineTurns = 40

func (b *bench) engine(context.Context, *report) error { return nil }
