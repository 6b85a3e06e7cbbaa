package main

import "errors"

// openKeyboard: global keys of macOS belong to Carbon and AppKit, which want cgo.
func openKeyboard() (keyboard, error) {
	return nil, errors.New("global keys are not made for macOS yet")
}
