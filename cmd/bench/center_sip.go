package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/icholy/digest"

	"zaseki/cmd/bench/stage"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

const (
	registerRounds = 5    // of the center and Kamailio, turn by turn
	registerCycles = 4000 // registrations of a round, a challenge and its answer each
	registerUsers  = 500
	routeAsked     = 200
)

// centerSIP are the rows of the center's telephone side.
type centerSIP struct {
	ctx context.Context
	dir string
}

func (b *centerSIP) rows() []measure {
	return []measure{{"center.register_cpu", b.registerCPU}, {"center.route", b.route}}
}

// floor starts a center with desk phones 1000… whose secret is pw- and their name, a queue, two agents, and a PBX that may ask.
func (b *centerSIP) floor() (*stage.Program, error) {
	dir, err := os.MkdirTemp(b.dir, "center-sip")
	if err != nil {
		return nil, err
	}
	if err := stage.Build(b.ctx, ".", dir, "center"); err != nil {
		return nil, err
	}
	var terminals, accounts []map[string]any
	for i := range registerUsers {
		user := strconv.Itoa(1000 + i)
		terminals = append(terminals, map[string]any{"extension": user, "type": "desk", "secret": "pw-" + user})
	}
	for _, n := range []string{"1", "2"} {
		terminals = append(terminals, map[string]any{"extension": "200" + n, "account": "agent" + n})
		accounts = append(accounts, map[string]any{"account": "agent" + n, "name": "Agent " + n, "password": stage.Password, "terminals": []string{"200" + n}})
	}
	data, err := json.Marshal(map[string]any{
		"site":     map[string]any{"name": "Bench", "domain": benchDomain, "afterWorkSeconds": 0, "sip": map[string]any{"server": "127.0.0.1:9", "expires": 60}},
		"accounts": accounts, "terminals": terminals, "queues": []map[string]any{{"extension": stage.Queue, "name": "Orders"}},
		"pbxs": []map[string]any{{"id": "main", "name": "Main", "kind": "route", "accept": []string{"127.0.0.1"}, "domain": "pbx.test"}},
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "floor.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	return stage.StartCenter(b.ctx, filepath.Join(dir, "center"), dir, file)
}

// registerCPU is what a registration with digest costs, its challenge included: the center, with its ledger and everything else that
// it does, and Kamailio, which has its users in memory too. The same sender asks both, and both want MD5 of it.
func (b *centerSIP) registerCPU() (row, error) {
	k, err := newKamailio(b.ctx, b.dir, kamailioHost)
	if err != nil {
		return row{}, err
	}
	defer k.kill()
	center, err := b.floor()
	if err != nil {
		return row{}, err
	}
	defer center.Stop()
	var ours, theirs []float64
	for range registerRounds {
		for _, side := range []struct {
			addr string
			cpu  func() (time.Duration, error)
			into *[]float64
		}{{center.String("sip"), func() (time.Duration, error) { return sessionCPU(center.PID(), false) }, &ours},
			{k.addr, func() (time.Duration, error) { return sessionCPU(k.cmd.Process.Pid, true) }, &theirs}} {
			before, err := side.cpu()
			if err == nil {
				err = registerOften(b.ctx, side.addr)
			}
			if err != nil {
				return row{}, err
			}
			after, err := side.cpu()
			if err != nil {
				return row{}, err
			}
			*side.into = append(*side.into, float64((after-before).Microseconds())/registerCycles)
		}
	}
	r := newRow("center.register_cpu", "us", 0, ours, "Kamailio", theirs)
	r.RatioLimit = 3
	return r, nil
}

// sessionCPU is what a process has used, or all of its session: user and system time in ticks of 10 ms (proc(5)).
func sessionCPU(pid int, session bool) (time.Duration, error) {
	files := []string{fmt.Sprintf("/proc/%d/stat", pid)}
	if session {
		files, _ = filepath.Glob("/proc/[0-9]*/stat")
	}
	var all time.Duration
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			if session {
				continue // it ended meanwhile
			}
			return 0, err
		}
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if session && fields[3] != strconv.Itoa(pid) {
			continue
		}
		user, err := strconv.Atoi(fields[11])
		if err != nil {
			return 0, err
		}
		kernel, err := strconv.Atoi(fields[12])
		if err != nil {
			return 0, err
		}
		all += time.Duration(user+kernel) * 10 * time.Millisecond
	}
	return all, nil
}

// registerOften registers one user after the other, each with a challenge of its own.
func registerOften(ctx context.Context, addr string) error {
	c, err := asking(addr)
	if err != nil {
		return err
	}
	defer c.close()
	for i := range registerCycles {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.register(strconv.Itoa(1000 + i%registerUsers)); err != nil {
			return fmt.Errorf("registration %d at %s: %w", i, addr, err)
		}
	}
	return nil
}

// register is one registration: asked, challenged, answered.
func (c *rawCaller) register(user string) error {
	c.n++
	if err := c.conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	proof := ""
	for seq := 1; ; seq++ {
		at := c.conn.LocalAddr()
		_, err := fmt.Fprintf(c.conn, "REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bK-%[3]d-%[4]d-%[5]d\r\nMax-Forwards: 70\r\nFrom: <sip:%[6]s@%[1]s>;tag=r%[4]d\r\n"+
			"To: <sip:%[6]s@%[1]s>\r\nCall-ID: raw-%[4]d@%[2]s\r\nCSeq: %[5]d REGISTER\r\nContact: <sip:%[6]s@%[2]s>\r\nExpires: 3600\r\n%[7]sContent-Length: 0\r\n\r\n",
			benchDomain, at, began(c), c.n, seq, user, proof)
		if err != nil {
			return err
		}
		answer, err := c.final(seq, "REGISTER")
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(answer, "SIP/2.0 200"):
			return nil
		case !strings.HasPrefix(answer, "SIP/2.0 401") || seq == 2:
			return errors.New(firstLine(answer))
		}
		challenge, err := digest.ParseChallenge(header(answer, "WWW-Authenticate"))
		if err != nil {
			return err
		}
		cred, err := digest.Digest(challenge, digest.Options{Method: "REGISTER", URI: "sip:" + benchDomain, Username: user, Password: "pw-" + user, Count: 1})
		if err != nil {
			return err
		}
		proof = "Authorization: " + cred.String() + "\r\n"
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\r\n")
	return line
}

// final waits for the final answer to this call's request.
func (c *rawCaller) final(seq int, method string) (string, error) {
	want := strconv.Itoa(seq) + " " + method
	for {
		n, err := c.conn.Read(c.buf[:])
		if err != nil {
			return "", err
		}
		text := string(c.buf[:n])
		if header(text, "CSeq") == want && strings.HasPrefix(header(text, "Call-ID"), fmt.Sprintf("raw-%d@", c.n)) && !strings.HasPrefix(text, "SIP/2.0 1") {
			return text, nil
		}
	}
}

// route is how long a PBX waits for the name of an agent: from its INVITE to the 302. The base is Kamailio's own 302, which asks
// nobody.
func (b *centerSIP) route() (row, error) {
	center, err := b.floor()
	if err != nil {
		return row{}, err
	}
	defer center.Stop()
	free, end, err := b.agents(center)
	if err != nil {
		return row{}, err
	}
	defer end()
	base, err := b.redirecting()
	if err != nil {
		return row{}, err
	}
	defer base.kill()
	ours, err := asking(center.String("sip"))
	if err != nil {
		return row{}, err
	}
	defer ours.close()
	theirs, err := asking(base.addr)
	if err != nil {
		return row{}, err
	}
	defer theirs.close()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) { // until it knows who may ask
		if _, contact, err := ours.ask(stage.Queue); err == nil {
			if err := free(contact); err != nil {
				return row{}, err
			}
			break
		}
	}
	var took, bases []float64
	for range routeAsked {
		ourTime, contact, err := ours.ask(stage.Queue)
		if err != nil {
			return row{}, err
		}
		theirTime, _, err := theirs.ask(stage.Queue)
		if err != nil {
			return row{}, err
		}
		took, bases = append(took, ms(ourTime)), append(bases, ms(theirTime))
		if err := free(contact); err != nil {
			return row{}, err
		}
	}
	return newRow("center.route", "ms", 1.5, took, "Kamailio's own 302", bases), nil
}

func asking(addr string) (*rawCaller, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return newRawCaller(to)
}

// ask is the question of a PBX; it is thanked with the ACK.
func (c *rawCaller) ask(queue string) (took time.Duration, contact string, err error) {
	c.n++
	began := time.Now()
	if err := c.conn.SetDeadline(began.Add(5 * time.Second)); err != nil {
		return 0, "", err
	}
	say := func(method, tag, body string) error {
		at, to := c.conn.LocalAddr(), c.conn.RemoteAddr()
		_, err := fmt.Fprintf(c.conn, "%[1]s sip:%[2]s@%[3]s SIP/2.0\r\nVia: SIP/2.0/UDP %[4]s;rport;branch=z9hG4bK-%[4]s-%[5]d\r\nMax-Forwards: 70\r\nFrom: <sip:pbx@%[4]s>;tag=a\r\n"+
			"To: <sip:%[2]s@%[3]s>%[6]s\r\nCall-ID: raw-%[5]d@%[4]s\r\nCSeq: 1 %[1]s\r\nContact: <sip:pbx@%[4]s>\r\nContent-Type: application/sdp\r\nContent-Length: %[7]d\r\n\r\n%[8]s",
			method, queue, to, at, c.n, tag, len(body), body)
		return err
	}
	if err := say("INVITE", "", benchSDP); err != nil {
		return 0, "", err
	}
	answer, err := c.final(1, "INVITE")
	if err != nil {
		return 0, "", err
	}
	took = time.Since(began)
	if !strings.HasPrefix(answer, "SIP/2.0 302") {
		return 0, "", errors.New(firstLine(answer))
	}
	_, tag, _ := strings.Cut(header(answer, "To"), ";tag=")
	return took, header(answer, "Contact"), say("ACK", ";tag="+tag, "")
}

// redirecting is a Kamailio that tells every caller the same phone.
func (b *centerSIP) redirecting() (*kamailio, error) {
	program, err := tool("kamailio")
	if err != nil {
		return nil, err
	}
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/sl.so")
	if len(modules) == 0 {
		return nil, skipped("kamailio's modules are not where Debian puts them")
	}
	k := &kamailio{host: kamailioHost, addr: net.JoinHostPort(kamailioHost, kamailioPort)}
	if k.dir, err = os.MkdirTemp(b.dir, "redirect"); err != nil {
		return nil, err
	}
	file, err := config(k.dir, "redirect.cfg", "@IP@", k.host, "@PORT@", kamailioPort, "@RUN@", k.dir, "@MODULES@", filepath.Dir(modules[0]))
	if err != nil {
		return nil, err
	}
	k.args = []string{program, "-DD", "-E", "-f", file, "-Y", k.dir, "-P", filepath.Join(k.dir, "pid"), "-m", "32", "-M", "4"}
	if err := k.start(); err != nil {
		return nil, err
	}
	if _, err := k.answers(b.ctx, "udp"); err != nil {
		k.kill()
		return nil, err
	}
	return k, nil
}

// agents signs two agents in. Free says that whom the center named has had the call, and waits until that agent takes calls again.
func (b *centerSIP) agents(center *stage.Program) (free func(contact string) error, end func(), err error) {
	ctx, cancel := context.WithCancel(b.ctx)
	var done []chan error
	end = func() {
		cancel()
		for _, d := range done {
			<-d
		}
	}
	byContact := map[string]*uplink.Uplink{}
	news := make(chan uplink.Event, 1000)
	for _, n := range []string{"1", "2"} {
		up := uplink.New(uplink.Config{URL: center.String("http"), Machine: "bench" + n, Version: "bench", Tell: func(e uplink.Event) { news <- e }})
		ran := make(chan error, 1)
		done = append(done, ran)
		go func() { ran <- up.Run(ctx) }()
		if _, err = up.Check(ctx, "agent"+n, wire.Secret(stage.Password)); err == nil {
			_, err = up.SignIn(ctx, wire.SignIn{Terminal: "200" + n, Status: wire.StatusAvailable})
		}
		if err == nil {
			up.Report(wire.LineReport{Registered: true})
			err = heardOf(ctx, news, func(s uplink.State) bool { return s.Status == wire.StatusAvailable })
		}
		if err != nil {
			end()
			return nil, nil, err
		}
		byContact["<sip:200"+n+"@pbx.test>"] = up
	}
	calls := 0
	return func(contact string) error {
		up := byContact[contact]
		if up == nil {
			return fmt.Errorf("%s was named", contact)
		}
		calls++
		for _, phase := range []string{wire.CallOffered, wire.CallTalking, wire.PhaseEnded} {
			up.Report(wire.CallReport{ID: strconv.Itoa(calls), Phase: phase, Inbound: true, Outside: true, Peer: "0312345678", At: time.Now()})
		}
		return up.Ask(ctx, wire.SetStatus{To: wire.StatusAvailable}) // answered after what was reported before
	}, end, nil
}

// heardOf waits for an event of that kind.
func heardOf[E uplink.Event](ctx context.Context, news <-chan uplink.Event, so func(E) bool) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-news:
			if e, ok := e.(E); ok && so(e) {
				return nil
			}
		}
	}
}
