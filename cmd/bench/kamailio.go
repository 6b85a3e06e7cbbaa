package main

import (
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed peers
var peers embed.FS

// skipped says why a row cannot be measured here.
type skipped string

func (s skipped) Error() string { return string(s) }

// tool finds a program.
func tool(name string) (string, error) {
	for _, at := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(at); err == nil {
			return path, nil
		}
	}
	return "", skipped(name + " is not installed")
}

// process is a program of somebody else, with all that it starts.
type process struct {
	cmd *exec.Cmd
	log string // its output's file
	end func()
}

// launch starts a program as a process group of its own, its output in a file: a pipe would be held open by its children.
func launch(dir string, stdin *os.File, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command("setsid", append([]string{program}, args...)...), log: filepath.Join(dir, "output")}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "LANG=C")
	if stdin != nil {
		p.cmd.Stdin = stdin
	}
	p.end = sync.OnceFunc(func() {
		_ = exec.Command("sh", "-c", "kill -s KILL -- -"+strconv.Itoa(p.cmd.Process.Pid)).Run()
		_ = p.cmd.Process.Kill() // should it not have its group yet
		_ = p.cmd.Wait()
	})
	return p, p.cmd.Start()
}

// kill pulls the plug.
func (p *process) kill() { p.end() }

// said is the end of its output.
func (p *process) said() string {
	out, _ := os.ReadFile(p.log)
	return tail(out, 1500)
}

// kamailio is a real one: registrar and proxy.
type kamailio struct {
	host, addr string
	dir        string
	args       []string
	*process
}

const (
	benchDomain  = "zaseki.test"
	kamailioPort = "15060" // others try 5060
)

// newKamailio starts one at that address and returns when it answers.
func newKamailio(ctx context.Context, dir, host string) (*kamailio, error) {
	program, err := tool("kamailio")
	if err != nil {
		return nil, err
	}
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/tm.so")
	if len(modules) == 0 {
		return nil, skipped("kamailio's modules are not where Debian puts them")
	}
	k := &kamailio{host: host, addr: host + ":" + kamailioPort, dir: filepath.Join(dir, "kamailio-"+host)}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, err
	}
	file, err := config(k.dir, "kamailio.cfg", "@IP@", host, "@PORT@", kamailioPort, "@RUN@", k.dir, "@MODULES@", filepath.Dir(modules[0]))
	if err != nil {
		return nil, err
	}
	k.args = []string{program, "-DD", "-E", "-f", file, "-Y", k.dir, "-P", filepath.Join(k.dir, "pid"), "-m", "32", "-M", "4"}
	if err := k.start(); err != nil {
		return nil, err
	}
	if _, err := k.answers(ctx, "tcp"); err != nil {
		k.kill()
		return nil, err
	}
	return k, nil
}

// config writes one of the embedded configurations, filled in.
func config(dir, name string, holes ...string) (file string, err error) {
	text, err := peers.ReadFile("peers/" + name)
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, name)
	return file, os.WriteFile(file, []byte(strings.NewReplacer(holes...).Replace(string(text))), 0o600)
}

// start runs it, once more after kill.
func (k *kamailio) start() (err error) {
	k.process, err = launch(k.dir, nil, k.args[0], k.args[1:]...)
	return err
}

// answers asks by a socket of its own, every five milliseconds, and says when the first answer came.
func (k *kamailio) answers(ctx context.Context, network string) (time.Time, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && ctx.Err() == nil; <-tick.C {
		if k.alive(network) {
			return time.Now(), nil
		}
	}
	return time.Time{}, fmt.Errorf("kamailio does not answer:\n%s", k.said())
}

// alive asks once. A connection is left open until it answers, an UDP packet may have been lost.
func (k *kamailio) alive(network string) bool {
	conn, err := net.Dial(network, k.addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	patience := 5 * time.Millisecond
	if network == "tcp" {
		patience = 5 * time.Second
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	at := conn.LocalAddr()
	fmt.Fprintf(conn, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/%[2]s %[3]s;rport;branch=z9hG4bK-%[3]s\r\nMax-Forwards: 70\r\nFrom: <sip:probe@%[1]s>;tag=p\r\n"+
		"To: <sip:%[1]s>\r\nCall-ID: probe-%[3]s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", k.addr, strings.ToUpper(network), at)
	answer := make([]byte, 1500)
	n, err := conn.Read(answer)
	return err == nil && strings.HasPrefix(string(answer[:n]), "SIP/2.0 200")
}

// knows waits until that user is registered there from that port.
func (k *kamailio) knows(ctx context.Context, user, port string) error {
	program, err := tool("kamcmd")
	if err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && ctx.Err() == nil; <-tick.C {
		out, err := exec.CommandContext(ctx, program, "-s", "unix:"+k.dir+"/ctl.sock", "ul.dump").Output()
		if err == nil && strings.Contains(string(out), "AoR: "+user+"\n") && strings.Contains(string(out), ":"+port) {
			return nil
		}
	}
	return fmt.Errorf("%s does not register", user)
}
