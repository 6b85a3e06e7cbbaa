//go:build cgo

package tray

const withoutCgo = false
