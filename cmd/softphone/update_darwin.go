package main

import "os/exec"

// reveal opens the folder of the file, with the file chosen.
func reveal(file string) error { return exec.Command("open", "-R", file).Run() }
