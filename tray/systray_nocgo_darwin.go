//go:build !cgo

package tray

import "context"

// showIcon does nothing: the icon of macOS needs cgo, and desk.noIcon has said so.
func showIcon(context.Context, Config, chan<- string) {}

const withoutCgo = true
