package tray

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// watchRings has nothing to tell: afplay knows the system's own output alone, and that follows the system's settings.
func watchRings(context.Context, func([]string)) {}

// playTone repeats the tone by afplay. A player that is still at it after half a second has a device.
func playTone(ctx context.Context, t tone, _ []string, heard func()) error {
	dir, err := os.MkdirTemp("", "zaseki-ring")
	if err != nil {
		return fmt.Errorf("ring file: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ring.wav")
	if err := os.WriteFile(file, t.wav(), 0o600); err != nil {
		return fmt.Errorf("ring file: %w", err)
	}
	said := time.AfterFunc(500*time.Millisecond, heard)
	defer said.Stop()
	for ctx.Err() == nil {
		if err := exec.CommandContext(ctx, "afplay", file).Run(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("afplay: %w", err)
		}
	}
	return nil
}
