package sealed_test

import (
	"bufio"
	"crypto/ecdh"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"zaseki/media/sealed"
)

// writing is set in the process that a test kills: where it writes, and for which key.
const writing = "ZASEKI_TEST_SEALED"

func TestMain(m *testing.M) {
	if path := os.Getenv(writing); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path, os.Getenv(writing+"_KEY")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver seals block after block and tells each that it was promised is on the disk.
func writeForEver(path, key string) error {
	public, err := hex.DecodeString(key)
	if err != nil {
		return err
	}
	w, err := sealed.Create(path, public, info)
	for n := 0; err == nil; n++ {
		fmt.Println(n)
		err = w.Write(block(n))
	}
	return err
}

func TestAKillAtAnyPointLosesNothingThatWasWritten(t *testing.T) {
	if testing.Short() {
		t.Skip("sixty processes: not with -short")
	}
	const kills = 60
	key := newKey(t)
	most := 0
	for i := range kills {
		promised, got := killed(t, key, time.Duration(rand.IntN(60_000))*time.Microsecond)
		if got < promised || got > promised+1 {
			t.Fatalf("kill %d: %d blocks were promised, %d open", i, promised, got)
		}
		most = max(most, got)
	}
	t.Logf("%d kills, up to %d blocks", kills, most)
}

// killed is how many blocks a writer said that it had written when it was killed, and how many open.
func killed(t *testing.T, key *ecdh.PrivateKey, after time.Duration) (promised, got int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r")
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), writing+"="+path, writing+"_KEY="+hex.EncodeToString(key.PublicKey().Bytes()))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if promised, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if after > 0 {
			time.AfterFunc(after, func() { c.Process.Kill() })
			after = 0
		}
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, ended, err := read(data, key)
	if err != nil || ended {
		t.Fatalf("what was killed does not open: %v", err)
	}
	return promised, got
}

func TestAFullDiskEndsTheFileAtItsLastWholeBlock(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can make a small disk")
		}
		t.Skip("only root can make a small disk")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no small disk here: ", err)
		}
		t.Skip("no small disk here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	key := newKey(t)
	path := filepath.Join(disk, "r")
	w, err := sealed.Create(path, key.PublicKey().Bytes(), info)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for err = w.Write(block(n)); err == nil; err = w.Write(block(n)) {
		n++
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if again := w.Write(block(n)); again == nil || w.Close() == nil {
		t.Fatal("it goes on after the disk was full")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, ended, err := read(data, key); got != n || ended || err != nil || n < 100 {
		t.Fatal(got, n, ended, err)
	}
	if _, err := sealed.Create(filepath.Join(disk, "s"), key.PublicKey().Bytes(), info); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("a new one on a full disk:", err)
	}
	if _, err := os.Stat(filepath.Join(disk, "s")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("it left a file:", err)
	}
}
