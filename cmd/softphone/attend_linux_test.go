package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/media"
	"zaseki/sip"
	"zaseki/web/wire"
)

const pbxSecret = "fixed-secret-of-all"

// besidePBX is a floor whose phones register at a real Kamailio; edits are pairs of old and new text of its configuration.
func besidePBX(t *testing.T, ip string, edits ...string) (h *hall, server string) {
	t.Helper()
	if _, err := exec.LookPath("kamailio"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	free, err := net.ListenPacket("udp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	server = free.LocalAddr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(server)
	cfg, err := os.ReadFile("../testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	text := strings.NewReplacer(append(edits, "IPADDR", ip, "PORT", port, `"PASSWORD"`, `"`+pbxSecret+`"`)...).Replace(string(cfg))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("kamailio", "-DD", "-E", "-f", file, "-Y", dir, "-P", filepath.Join(dir, "kamailio.pid"), "-m", "32", "-M", "4")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("kamailio: %s", log.String())
		}
	})
	soon(t, "kamailio answers", func() bool { return stage.Answers(server) })
	h = newHall(t)
	h.site(func(s *roster.Site) {
		s.Domain, s.SIP = "pbx.test", roster.SiteSIP{Server: server, Transport: "udp", Expires: 120}
	})
	var all []roster.TerminalSetup
	for account, extension := range map[string]string{"mori": "2011", "ono": "2012", "boss": "2013", "other": "2014"} {
		all = append(all, roster.TerminalSetup{Extension: extension, Account: account, Secret: pbxSecret})
	}
	h.apply(roster.Setup{Terminals: all})
	return h, server
}

// atPBX is a customer who is registered there.
func (h *hall) atPBX(server, extension string, hz int) *customer {
	h.Helper()
	return h.far(caller.Config{Server: server, Domain: "pbx.test", User: extension, Secret: wire.Secret(pbxSecret)}, hz)
}

// TestSupervisionThroughAnotherPBX: one that carries the permit, and one that drops it.
func TestSupervisionThroughAnotherPBX(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	t.Run("carries", func(t *testing.T) {
		h, server := besidePBX(t, "127.0.9.21")
		agent, boss, far := h.supervised(server)
		permit := boss.leg(boss.until("listening", supervises(wire.SuperviseListen)).Supervised.Call).permit.Reveal()
		for _, forged := range []string{permit, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
			other := h.atPBX(server, map[bool]string{true: "2019", false: "2020"}[forged == permit], hzOther)
			offer, err := other.Sound.OpenLine("x", other.Line.LocalAddr(), media.Security{})
			if err == nil {
				err = other.Line.Dial(t.Context(), "x", "2011", offer, wire.PermitHeader, forged)
			}
			if err != nil {
				t.Fatal(err)
			}
			for e := range other.told {
				if e, refused := e.(sip.Failed); refused {
					if e.Code != 403 {
						t.Errorf("refused with %d %s", e.Code, e.Reason)
					}
					break
				}
			}
		}
		h.heard("only who may listens", pair+" boss<agent boss<caller")
		if err := far.Line.Hangup(t.Context(), far.line); err != nil {
			t.Fatal(err)
		}
		boss.until("over", supervises(""))
		agent.until("nobody is left", attended(0))
	})
	t.Run("drops", func(t *testing.T) {
		h, server := besidePBX(t, "127.0.9.22", "    record_route();", "    remove_hf(\"X-Center-Permit\");\n    record_route();")
		agent, boss, _ := h.supervised(server)
		face{boss.phone}.Post(wire.Supervise{Account: "mori", Mode: wire.SuperviseWhisper})
		h.heard("whisper", pair+" boss<agent boss<caller agent<boss")
		agent.end() // its phone ends: a good-bye to all
		boss.until("over", supervises(""))
	})
}

// supervised is an agent in a call, in a phone that wants no second one, whom a supervisor listens to.
func (h *hall) supervised(server string) (agent, boss *colleague, far *customer) {
	h.Helper()
	agent, boss = h.colleague("agent", "mori", wire.StatusBreak), h.colleague("boss", "boss", wire.StatusBreak)
	far = h.atPBX(server, "2016", hzCaller)
	h.ears["caller"] = far.ear
	h.join(agent, boss)
	agent.agent.Post(wire.ChangeSetting{Name: wire.SetWaiting, Value: "busy"})
	far.calls(h.T, "2011")
	agent.talks()
	h.asks(boss, wire.Supervise{Account: "mori", Mode: wire.SuperviseListen})
	h.heard("listen", pair+" boss<agent boss<caller")
	return agent, boss, far
}
