package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// mayNot ends a test that the machine does not allow; CI's must.
func mayNot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// onThread runs it on a thread with a view of the file system of its own, which ends with it.
func onThread(t *testing.T, mount func() error, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		mayNot(t, "only root may mount")
	}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = mount()
		}
		if err == nil {
			do()
		}
		failed <- err
	}()
	desktop.Must(t, <-failed)
}

// runHere runs the download here, on this thread.
func (s *shop) runHere() wire.Update {
	d, err := s.plan(s.release())
	if err == nil {
		d.tell = func(int64, int64) {}
		err = d.run(s.t.Context())
	}
	s.Latest(s.t.Context(), s.release())
	if err != nil {
		s.fail(d, err)
	}
	return s.last()
}

func TestAFullDiskIsTold(t *testing.T) {
	s := openShop(t)
	desktop.Must(t, os.MkdirAll(s.dir, 0o700))
	var got wire.Update
	onThread(t, func() error { return unix.Mount("small", s.dir, "tmpfs", 0, "size=256k") }, func() { got = s.runHere() })
	if got.Problem == nil || got.Problem.Code != wire.ProblemUpdateSpace+".linux" || got.Problem.Holes["size"] != "1 MB" {
		t.Errorf("%+v %v", got, got.Problem)
	}
}

func TestADiskThatTakesNothingIsTold(t *testing.T) {
	s := openShop(t)
	desktop.Must(t, os.MkdirAll(s.dir, 0o700))
	var got wire.Update
	onThread(t, func() error { return unix.Mount("ro", s.dir, "tmpfs", unix.MS_RDONLY, "size=256k") }, func() { got = s.runHere() })
	if got.Problem == nil || got.Problem.Code != wire.ProblemUpdateDenied+".linux" || got.Problem.Holes["file"] == "" {
		t.Errorf("%+v %v", got, got.Problem)
	}
}

// TestAFolderWithoutPermissionIsTold: even root may not write where an attribute of the file system forbids it.
func TestAFolderWithoutPermissionIsTold(t *testing.T) {
	s := openShop(t)
	desktop.Must(t, os.MkdirAll(s.dir, 0o700))
	if os.Getuid() == 0 {
		if out, err := exec.Command(desktop.Need(t, "chattr"), "+i", s.dir).CombinedOutput(); err != nil {
			mayNot(t, "no such attribute here: "+string(out))
		}
		t.Cleanup(func() { _ = exec.Command("chattr", "-i", s.dir).Run() })
	} else {
		desktop.Must(t, os.Chmod(s.dir, 0o500))
	}
	if got := s.get(s.release()); got.Problem == nil || got.Problem.Code != wire.ProblemUpdateDenied+".linux" {
		t.Errorf("%+v %v", got, got.Problem)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*")); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}
