package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// reveal opens the folder of the file.
func reveal(file string) error {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	return exec.CommandContext(ctx, "xdg-open", filepath.Dir(file)).Run()
}
