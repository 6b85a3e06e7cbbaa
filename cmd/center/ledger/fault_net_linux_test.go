package ledger

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const netLab = "LEDGER_TEST_LAB" // set in the process that is the test inside the laboratory

// inLab runs the test again in a network namespace of its own. True: it did, and there is nothing left to do.
func inLab(t *testing.T) bool {
	t.Helper()
	long(t)
	if os.Getenv(netLab) != "" {
		return false
	}
	for _, tool := range []string{"unshare", "nsenter", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, tool+" is not installed")
		}
	}
	if err := exec.Command("unshare", "-n", "true").Run(); err != nil {
		lacking(t, "no network namespaces: "+err.Error())
	}
	t.Parallel() // it mostly waits for elections
	cmd := exec.Command("unshare", "-n", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "400s")
	cmd.Env = append(os.Environ(), netLab+"=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}

// lab are three members, each on a machine of its own as far as the network goes.
type lab struct {
	t    *testing.T
	kids []*child
	told []lent
	cfgs []Config
	gone []*child // that were killed
}

func labAddr(i int) string { return fmt.Sprintf("10.77.0.%d", i+1) }
func labMAC(i int) string  { return fmt.Sprintf("02:00:00:00:77:%02x", i+1) }

func sh(t *testing.T, line ...string) {
	t.Helper()
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", strings.Join(line, " "), err, out)
	}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t}
	sh(t, "ip", "link", "add", "hub", "type", "bridge")
	sh(t, "ip", "link", "set", "hub", "up")
	var members []Member
	for i := range 3 {
		members = append(members, Member{fmt.Sprint("n", i+1), net.JoinHostPort(labAddr(i), "6222")})
	}
	routes := labPapers(t)
	for i, m := range members {
		told := lent{Dir: t.TempDir(), Name: m.Name, Members: members, Secret: []byte("a secret of all three"), Wait: true, Routes: routes}
		own, err := routes.routes()
		if err != nil {
			t.Fatal(err)
		}
		l.cfgs = append(l.cfgs, Config{Dir: told.Dir, Cluster: &Cluster{Name: m.Name, Members: members, Secret: told.Secret, TLS: own}})
		l.told, l.kids = append(l.told, told), append(l.kids, nil)
		l.boot(i)
	}
	for _, k := range l.kids {
		k.order(t, "go")
	}
	for _, k := range l.kids {
		k.more(t, "ack", 20, patience)
	}
	return l
}

// boot starts a member on a machine of its own, where it waits for a word.
func (l *lab) boot(i int) {
	l.t.Helper()
	k := startAs(l.t, l.told[i], syscall.CLONE_NEWNET)
	l.kids[i] = k
	here, there := fmt.Sprint("v", i), fmt.Sprint("w", i)
	_ = exec.Command("ip", "link", "del", here).Run() // of one that was killed
	sh(l.t, "ip", "link", "add", here, "type", "veth", "peer", "name", there)
	sh(l.t, "ip", "link", "set", here, "master", "hub", "up")
	sh(l.t, "ip", "link", "set", there, "netns", fmt.Sprint(k.cmd.Process.Pid))
	l.at(i, "link", "set", "lo", "up")
	l.at(i, "link", "set", there, "name", "eth0", "address", labMAC(i))
	l.at(i, "addr", "add", labAddr(i)+"/24", "dev", "eth0")
	l.at(i, "link", "set", "eth0", "up")
}

// at does something to a member's network.
func (l *lab) at(i int, args ...string) {
	l.t.Helper()
	sh(l.t, append([]string{"nsenter", "-t", fmt.Sprint(l.kids[i].cmd.Process.Pid), "-n", "ip"}, args...)...)
}

// cut loses what one member sends to another, without a word to either: it goes to a machine that is not there.
func (l *lab) cut(from, to int) {
	l.t.Helper()
	l.at(from, "neigh", "replace", labAddr(to), "lladdr", "02:00:00:00:de:ad", "dev", "eth0", "nud", "permanent")
}

func (l *lab) heal() {
	l.t.Helper()
	for i := range l.kids {
		for j := range l.kids {
			if i != j {
				l.at(i, "neigh", "replace", labAddr(j), "lladdr", labMAC(j), "dev", "eth0", "nud", "permanent")
			}
		}
	}
}

// leader is who leads the log.
func (l *lab) leader(within time.Duration) (at int) {
	l.t.Helper()
	until(l.t, "somebody leads", within, func() bool {
		at = slices.IndexFunc(l.kids, func(k *child) bool { return k.last("leads", "follows") })
		return at >= 0
	})
	return at
}

// labPapers are an authority's certificate for all members of the laboratory.
func labPapers(t *testing.T) *papers {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(root)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for i := range 3 {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(labAddr(i)))
	}
	leafKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, leaf, parsed, &leafKey.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	return &papers{Root: root, Cert: der, Key: raw}
}

// writesAgain waits until a member is told of a change that was asked for after at, and says after how long.
func (l *lab) writesAgain(i int, at time.Time, within time.Duration) time.Duration {
	l.t.Helper()
	var first time.Time
	until(l.t, l.kids[i].name+" writes", within, func() bool {
		var lines []string
		lines, first = l.kids[i].since(at, "ack")
		return len(lines) > 2
	})
	return first.Sub(at).Round(time.Millisecond)
}

// TestASplitClusterHasOneLog: whoever leads is cut off from the two others, and comes back. How soon: TestOthersGoOnInTime. (C6, H6)
func TestASplitClusterHasOneLog(t *testing.T) {
	if inLab(t) {
		return
	}
	l := newLab(t)
	c := &claims{began: time.Now()}
	l.claim(c, "before")
	alone := l.leader(patience)
	others := []int{(alone + 1) % 3, (alone + 2) % 3}
	l.claim(c, "while")
	split := time.Now()
	for _, o := range others {
		l.cut(alone, o)
		l.cut(o, alone)
	}
	whole := time.Now() // is the split
	l.claim(c, "after")
	for _, o := range others {
		t.Logf("%s, of the majority, writes after %v", l.kids[o].name, l.writesAgain(o, split.Add(500*time.Millisecond), patience))
	}
	l.claim(c, "elected")
	until(t, "the minority refuses changes", patience, func() bool { return l.kids[alone].last("shut", "open") })
	why, at := l.kids[alone].since(split, "shut")
	t.Logf("the minority refuses changes after %v: %s", at.Sub(split).Round(time.Millisecond), why)
	refused := time.Now()
	l.claim(c, "shut")
	until(t, "a refusal in words", patience, func() bool {
		lines, _ := l.kids[alone].since(refused, "claim shut")
		return len(lines) == 1 && strings.Contains(lines[0], "majority")
	})
	if lines, at := l.kids[alone].since(whole.Add(time.Second), "ack"); len(lines) > 0 {
		t.Errorf("the minority wrote %v after the split", at.Sub(split))
	}

	healed := time.Now()
	l.claim(c, "healing")
	l.heal()
	l.claim(c, "healed")
	took := l.writesAgain(alone, healed, patience)
	l.kids[alone].more(t, "seen", 2, patience)
	t.Logf("the minority writes again %v after it came back", took)
	l.finish(c)
}

// TestAMemberThatIsNotHeardStopsNobody: what one member sends to another is lost, and not the other way round. (C6)
func TestAMemberThatIsNotHeardStopsNobody(t *testing.T) {
	if inLab(t) {
		return
	}
	l := newLab(t)
	c := &claims{began: time.Now()}
	lead := l.leader(patience)
	next, third := (lead+1)%3, (lead+2)%3
	for _, way := range []struct {
		name     string
		from, to int
	}{
		{"a member does not hear the leader", lead, next},
		{"the leader does not hear a member", next, lead},
		{"two members that do not lead", next, third},
	} {
		at := time.Now()
		l.cut(way.from, way.to)
		l.claim(c, fmt.Sprintf("cut%d%d", way.from, way.to))
		var slow time.Duration
		for i := range l.kids {
			slow = max(slow, l.writesAgain(i, at.Add(500*time.Millisecond), patience))
		}
		l.claim(c, fmt.Sprintf("lasts%d%d", way.from, way.to))
		healed := time.Now()
		l.heal()
		l.claim(c, fmt.Sprintf("healed%d%d", way.from, way.to))
		var back time.Duration
		for i := range l.kids {
			back = max(back, l.writesAgain(i, healed, patience))
		}
		t.Logf("%s: all write after %v, and after the end of it after %v", way.name, slow, back)
	}
	l.finish(c)
}

// finish ends the members and looks at what they were told and at what is in the log.
func (l *lab) finish(c *claims) {
	l.t.Helper()
	for _, k := range l.kids {
		k.more(l.t, "ack", 5, patience)
	}
	for _, a := range c.open {
		until(l.t, "an answer to a claim", patience, func() bool {
			lines, _ := l.kids[a.client].since(a.at, "claim "+a.seat+" "+a.who+" ")
			return len(lines) > 0
		})
	}
	// The log is read where it can be: in the network of a member that has been ended.
	log := l.read()
	acknowledgedAreThere(l.t, l.kids, log)
	l.settle(c, log)
}

// read ends all members and opens their log again, here.
func (l *lab) read() []Event {
	l.t.Helper()
	for i, k := range l.kids {
		k.kill()
		sh(l.t, "ip", "addr", "add", labAddr(i)+"/24", "dev", "hub")
		l.cfgs[i].Log = nil
	}
	nodes := openAll(l.t, l.cfgs...)
	end, err := nodes[0].End(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return events(l.t, nodes[1], end)
}
