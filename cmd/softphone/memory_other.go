//go:build !linux

package main

// memoryAllowed: these systems limit no process of a person.
func memoryAllowed(string) int64 { return 0 }
