package exchange

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

const (
	instanceA = "urn:uuid:00000000-0000-1000-8000-00000000000a"
	instanceB = "urn:uuid:00000000-0000-1000-8000-00000000000b"
)

// flow is a Contact that keeps a flow (RFC 5626 §4.2).
func flow(r *raw, user, instance, reg string) string {
	return "Contact: <sip:" + user + "@" + r.conn.LocalAddr().String() + `>;+sip.instance="<` + instance + `>";reg-id=` + reg + ";expires=90"
}

func TestFlowsAreKept(t *testing.T) {
	const able = "Supported: path, outbound, gruu"
	rows := []struct {
		name  string
		steps func(f *floor) (last string)
		code  string
		left  int
	}{
		{"a second flow of the phone", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1004", able, flow(a, "1004", instanceA, "1"))
			return b.register(f, "1004", able, flow(b, "1004", instanceA, "2"))
		}, "200", 2},
		{"the same flow from another place", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1004", able, flow(a, "1004", instanceA, "1"))
			return b.register(f, "1004", able, flow(b, "1004", instanceA, "1"))
		}, "200", 1},
		{"another phone", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1004", able, flow(a, "1004", instanceA, "1"))
			return b.register(f, "1004", able, flow(b, "1004", instanceB, "1"))
		}, "200", 2},
		{"a softphone keeps its flows", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1001", able, flow(a, "1001", instanceA, "1"))
			return b.register(f, "1001", able, flow(b, "1001", instanceA, "2"))
		}, "200", 2},
		{"a softphone is one phone", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1001", able, flow(a, "1001", instanceA, "1"))
			return b.register(f, "1001", able, flow(b, "1001", instanceB, "2"))
		}, "200", 1},
		{"two flows in one REGISTER", func(f *floor) string {
			a := f.raw()
			return a.register(f, "1004", able, flow(a, "1004", instanceA, "1"), flow(a, "1004", instanceA, "2"))
		}, "400", 0},
		{"who does not say that it can", func(f *floor) string {
			a, b := f.raw(), f.raw()
			a.register(f, "1004", flow(a, "1004", instanceA, "1"))
			return b.register(f, "1004", flow(b, "1004", instanceA, "1"))
		}, "200", 2},
		{"through a proxy that knows nothing of flows", func(f *floor) string {
			a := f.raw()
			return a.register(f, "1004", able, flow(a, "1004", instanceA, "1"), "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKother")
		}, "439", 0},
		{"through one that does", func(f *floor) string {
			a := f.raw()
			return a.register(f, "1004", able, flow(a, "1004", instanceA, "1"), "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKother", "Path: <sip:127.0.0.1:9;lr;ob>")
		}, "200", 1},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, nil)
			answer := r.steps(f)
			if got := status(answer); got != r.code {
				t.Fatalf("%s, want %s:\n%s", got, r.code, answer)
			}
			if got := len(f.x.Registered()); got != r.left {
				t.Errorf("%d contacts, want %d", got, r.left)
			}
		})
	}
}

// TestAFlowIsAnswered: what the phone must know stands in the 200, and a name that breaks out of it is no name.
func TestAFlowIsAnswered(t *testing.T) {
	f := newFloor(t, nil)
	a := f.raw()
	answer := a.register(f, "1004", "Supported: outbound, gruu", flow(a, "1004", instanceA, "7"))
	for _, want := range []string{"Require: outbound", "Flow-Timer: 120", `+sip.instance="<` + instanceA + `>"`, "reg-id=7", `pub-gruu="sip:1004@` + domain + ";gr=" + instanceA + `"`} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %s in\n%s", want, answer)
		}
	}
	b := f.raw()
	answer = b.register(f, "1004", "Supported: outbound, gruu", flow(b, "1004", `urn:x";pub-gruu="sip:evil@evil.test`, "1"))
	if status(answer) != "200" || strings.Contains(answer, "evil") {
		t.Errorf("an instance that breaks out:\n%s", answer)
	}
}

// TestAFlowThatIsLostIsPassedOver: our own phone, by TCP and with two flows; the newest rings, and when its connection goes the other
// one does. No phone rings twice.
func TestAFlowThatIsLostIsPassedOver(t *testing.T) {
	f := newFloor(t, nil)
	b := f.x.where
	b.update("1004", binding{callID: "old", cseq: 1, network: "tcp", source: netip.MustParseAddrPort("127.0.0.1:9"), epoch: 1}, false,
		[]change{{contact: "sip:1004@127.0.0.1:9;transport=tcp", q: 1000, expires: 60, instance: instanceA, reg: 2}})
	desk := f.phone("1004", "tcp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceA, "urn:uuid:") })
	b.update("1004", binding{callID: "new", cseq: 1, network: "tcp", source: netip.MustParseAddrPort("127.0.0.1:10"), epoch: 1}, false,
		[]change{{contact: "sip:1004@127.0.0.1:10;transport=tcp", q: 1000, expires: 60, instance: instanceA, reg: 3}})
	if got := len(f.x.where.lookup("1004")); got != 3 {
		t.Fatalf("%d flows", got)
	}
	caller := f.phone("1001", "udp")
	if err := caller.Dial(ctxFor(t), "c", "1004", offer); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](desk)
	desk.silent(300 * time.Millisecond)
	desk.Reject(ctxFor(t), in.Call, 486, "")
	next[sip.Failed](caller)
}

// TestAGRUUNamesOnePhone of several that a user has (RFC 5627).
func TestAGRUUNamesOnePhone(t *testing.T) {
	f := newFloor(t, nil)
	first := f.phone("1004", "tcp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceA, "urn:uuid:") })
	second := f.phone("1004", "udp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceB, "urn:uuid:") })
	r := f.raw()
	r.register(f, "1003", "Contact: <sip:1003@"+r.conn.LocalAddr().String()+">")
	uri := "sip:1004@" + domain + ";gr=" + instanceB
	call := []string{"Contact: <sip:x@127.0.0.1:9>", "Content-Type: application/sdp"}
	go func() {
		in := next[sip.Incoming](second)
		second.Reject(t.Context(), in.Call, 486, "")
	}()
	asked := r.ask("INVITE", uri, uri, long, call...)
	proof := answerTo(t, header(asked, "Proxy-Authenticate"), "INVITE", uri, "1003")
	if got := status(r.ask("INVITE", uri, uri, long, append(call, "Proxy-Authorization: "+proof)...)); got != "486" {
		t.Errorf("the named phone: %s", got)
	}
	first.silent(300 * time.Millisecond)
	other := "sip:1004@" + domain + ";gr=urn:uuid:nobody"
	asked = r.ask("INVITE", other, other, long, call...)
	proof = answerTo(t, header(asked, "Proxy-Authenticate"), "INVITE", other, "1003")
	if got := status(r.ask("INVITE", other, other, long, append(call, "Proxy-Authorization: "+proof)...)); got != "480" {
		t.Errorf("a phone that is not there: %s", got)
	}
}

// TestThePhoneIsRungByItsNextFlow: the newest says that its phone is gone (430), or nothing at all; the phone rings by the other one.
func TestThePhoneIsRungByItsNextFlow(t *testing.T) {
	t.Parallel()
	const able = "Supported: path, outbound, gruu"
	for name, says := range map[string]string{"430": "SIP/2.0 430 Flow Failed", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, nil)
			desk := f.phone("1004", "tcp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceA, "urn:uuid:") })
			edge := f.raw()
			edge.register(f, "1004", able, flow(edge, "1004", instanceA, "2"))
			if got := f.x.phonesOf("1004"); len(got) != 1 || len(got[0].flows) != 1 {
				t.Fatalf("targets %+v", got)
			}
			done := make(chan struct{})
			defer func() { edge.conn.Close(); <-done }()
			go func() {
				defer close(done)
				edge.answers(says)
			}()
			caller := f.phone("1001", "udp")
			began := time.Now()
			if err := caller.Dial(ctxFor(t), "c", "1004", offer); err != nil {
				t.Fatal(err)
			}
			in := next[sip.Incoming](desk)
			if took := time.Since(began); took > flowTime+time.Second {
				t.Errorf("it rang after %v", took)
			}
			desk.Answer(ctxFor(t), in.Call, reply)
			next[sip.Answered](caller)
			caller.Hangup(ctxFor(t), "c")
			next[sip.Ended](desk)
		})
	}
}

// answers says that to every request until its socket is closed; "" nothing.
func (r *raw) answers(line string) {
	buf := make([]byte, 65536)
	r.conn.SetReadDeadline(time.Time{})
	for {
		n, err := r.conn.Read(buf)
		if err != nil {
			return
		}
		head, _, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		if line == "" || strings.HasPrefix(head, "ACK") {
			continue
		}
		answer := line
		for _, h := range strings.Split(head, "\r\n")[1:] {
			switch name, _, _ := strings.Cut(h, ":"); name {
			case "Via", "From", "Call-ID", "CSeq":
				answer += "\r\n" + h
			case "To":
				answer += "\r\n" + h + ";tag=x"
			}
		}
		r.conn.Write([]byte(answer + "\r\nContent-Length: 0\r\n\r\n"))
	}
}
