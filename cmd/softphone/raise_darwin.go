package main

import "errors"

// raiseWindow: macOS lets a program do that to another's windows only with the right to control the computer, which the phone does not ask
// for.
func raiseWindow(func(title string) bool) error { return errors.ErrUnsupported }
