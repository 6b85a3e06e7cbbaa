package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zaseki/web/wire"
)

// TestACenterWithoutFreeFilesLivesOn: strangers hold so many connections that the process may open nothing more. Who is signed in goes
// on working, telephones are answered by UDP, and when the strangers have gone everybody is let in, by HTTP and by SIP over TCP. (C15)
func TestACenterWithoutFreeFilesLivesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("a real process and hundreds of connections")
	}
	dir := t.TempDir()
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	c := start(t, dir)
	phone := join(t, c.line.HTTP, "baba", "1002", "1")
	phone.wait("connection", long, online)

	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	few := uint64(len(open) + 20)
	if err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: few, Max: few}, nil); err != nil {
		lacks(t, err)
	}
	web, sip := strings.TrimPrefix(c.line.HTTP, "http://"), c.line.SIP
	var held []net.Conn
	hold := func() {
		for i := range 300 {
			addr := web
			if i%2 == 1 {
				addr = sip
			}
			conn, err := net.DialTimeout("tcp", addr, time.Second) // the system takes it, the program may not
			if err != nil {
				break
			}
			held = append(held, conn)
		}
	}
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	hold()
	until(t, "the center has no file left", long, func() bool {
		now, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
		return err == nil && uint64(len(now)) >= few
	})

	if err := phone.Ask(t.Context(), wire.SetStatus{To: "break"}); err != nil {
		t.Errorf("a signed-in phone changes its status: %v", err)
	}
	if answer := greeting(t, "udp", sip); !strings.HasPrefix(answer, "SIP/2.0 ") {
		t.Errorf("by UDP: %q", answer)
	}
	for _, conn := range held {
		conn.Close()
	}
	held = nil
	began := time.Now()
	until(t, "a person signs in", long, func() bool { return signIn(t, c.line.HTTP, "admin", "wrong") != 0 })
	until(t, "a telephone is answered by TCP", long, func() bool { return strings.HasPrefix(greeting(t, "tcp", sip), "SIP/2.0 ") })
	took := time.Since(began)
	t.Logf("%d files; everybody is let in again after %v", few, took)
	if took > 5*time.Second {
		t.Error("that is too long")
	}
	phone.stop()
	c.stop()
}

// greeting asks whether a telephone would be answered; "" says no.
func greeting(t *testing.T, network, addr string) string {
	t.Helper()
	conn, err := net.DialTimeout(network, addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	fmt.Fprintf(conn, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%d\r\nFrom: <sip:a@%s>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %d@files\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		addr, strings.ToUpper(network), conn.LocalAddr(), time.Now().UnixNano(), addr, addr, time.Now().UnixNano())
	answer := make([]byte, 2048)
	n, _ := conn.Read(answer)
	return string(answer[:n])
}
