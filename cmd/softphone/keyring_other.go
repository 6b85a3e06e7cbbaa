//go:build !linux

package main

// haveKeyring: macOS and Windows have one always.
func haveKeyring() bool { return true }
