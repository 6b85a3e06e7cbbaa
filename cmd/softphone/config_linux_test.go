package main

import (
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
)

// TestAPipeInPlaceOfTheConfigKeepsNobodyWaiting: reading it would never end.
func TestAPipeInPlaceOfTheConfigKeepsNobodyWaiting(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, configFile)
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if kept, err := openSettings(dir, quiet); err != nil || !reflect.DeepEqual(kept.get(), config{}) {
		t.Fatalf("%+v, %v", kept.get(), err)
	}
	if info, err := os.Lstat(file + ".bad"); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("%v, %v", info, err)
	}
}
