package main

import "context"

// centerGroup measures what the center promises (rows center.…); each part is in a file of its own.
func centerGroup(ctx context.Context, lab lab) error {
	var rows []measure
	rows = append(rows, (&centerSIP{ctx, lab.dir}).rows()...)
	rows = append(rows, (&centerLedger{ctx, lab.dir}).rows()...)
	rows = append(rows, (&centerSignIn{ctx, lab.dir}).rows()...)
	rows = append(rows, (&centerFan{ctx: ctx, dir: lab.dir}).rows()...)
	rows = append(rows, (&centerView{ctx: ctx, dir: lab.dir}).rows()...)
	rows = append(rows, (&centerReport{ctx, lab.dir}).rows()...)
	return lab.measure(rows...)
}
