package exchange

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ask is what a PBX asks: who takes the queue's call.
func (r *raw) question(queue string) string {
	r.t.Helper()
	uri := "sip:" + queue + "@" + domain
	return r.ask("INVITE", uri, uri, long, "Contact: <sip:pbx@127.0.0.1:9>")
}

func TestAPBXIsToldWhoIsFree(t *testing.T) {
	f := newFloor(t, stands(Outside{Askers: []Asker{
		{ID: "main", Accept: nets("127.0.8.2/32"), Domain: "pbx.test"}, {ID: "bare", Accept: nets("127.0.8.3/32")},
	}}))
	f.available("1001", "1002", "1003")
	first, second, third := f.rawFrom("127.0.8.2"), f.rawFrom("127.0.8.2"), f.rawFrom("127.0.8.3")
	for _, r := range []struct {
		name, want string
		of         *raw
	}{
		{"the longest idle", "<sip:1001@pbx.test>", first},
		{"another call, the next agent", "<sip:1002@pbx.test>", second},
		{"asked again, another one", "<sip:1003@pbx.test>", first},
	} {
		answer := r.of.question("7000")
		if status(answer) != "302" || header(answer, "Contact") != r.want {
			t.Errorf("%s: %s, want %s", r.name, answer, r.want)
		}
	}
	if answer := second.question("7000"); status(answer) != "480" || header(answer, "Retry-After") == "" {
		t.Errorf("nobody free: %s", answer)
	}
	f.available("1001", "1002")
	if answer := second.question("7000"); header(answer, "Contact") != "<sip:1001@pbx.test>" { // 1002 was tried
		t.Errorf("one was tried: %s", answer)
	}
	if answer := third.question("7000"); header(answer, "Contact") != "<sip:1002@"+third.conn.LocalAddr().String()+">" {
		t.Errorf("without a domain: %s", answer)
	}
	f.mu.Lock()
	f.state.Closed = "holiday"
	f.mu.Unlock()
	f.available("1001")
	if answer := f.rawFrom("127.0.8.2").question("7000"); status(answer) != "480" || header(answer, "Retry-After") != "" {
		t.Errorf("a queue that is closed: %s", answer)
	}
	for name, r := range map[string]struct{ from, number, want string }{
		"who is not listed":               {"127.0.8.9", "7000", "403"},
		"who is not listed, for an agent": {"127.0.8.9", "1001", "403"},
		"an agent":                        {"127.0.8.2", "1001", "404"},
		"a number outside":                {"127.0.8.2", "0312345678", "404"},
		"a queue that is not there":       {"127.0.8.2", "7001", "404"},
	} {
		if got := status(f.rawFrom(r.from).question(r.number)); got != r.want {
			t.Errorf("%s: %s, want %s", name, got, r.want)
		}
	}
}

// TestAProxyAsksAgain at once, as it does when the agent's phone refused: the same INVITE, by another branch.
func TestAProxyAsksAgain(t *testing.T) {
	f := newFloor(t, stands(Outside{Askers: []Asker{{ID: "main", Accept: nets("127.0.8.2/32"), Domain: "pbx.test"}}}))
	f.available("1001", "1002")
	r := f.rawFrom("127.0.8.2")
	for branch, want := range []string{"<sip:1001@pbx.test>", "<sip:1002@pbx.test>", ""} {
		fmt.Fprintf(r.conn, "INVITE sip:7000@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bKb%[3]d\r\nFrom: <sip:0312345678@x>;tag=same\r\nTo: <sip:7000@%[1]s>\r\n"+
			"Call-ID: same\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:pbx@%[2]s>\r\nContent-Length: 0\r\n\r\n", domain, r.conn.LocalAddr(), branch)
		buf := make([]byte, 4096)
		answer := ""
		for r.conn.SetReadDeadline(time.Now().Add(long)); !strings.Contains(answer, fmt.Sprint("z9hG4bKb", branch)) || strings.HasPrefix(answer, "SIP/2.0 1"); {
			n, err := r.conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			answer = string(buf[:n])
		}
		if code := map[bool]string{true: "302", false: "480"}[want != ""]; status(answer) != code || header(answer, "Contact") != want {
			t.Errorf("question %d: %s", branch, answer)
		}
	}
}

func TestQuestionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuestions(time.Now)
		released := 0
		ask := func(call string, account string) (tried int) {
			q.next(call, func(t []string) (Offer, func(), bool) {
				tried = len(t)
				return Offer{Account: account}, func() { released++ }, true
			})
			return tried
		}
		ask("a", "1")
		if n := ask("a", "2"); n != 1 || released != 1 {
			t.Errorf("%d tried, %d given back", n, released)
		}
		time.Sleep(questionLife + time.Second)
		if n := ask("a", "1"); n != 0 {
			t.Errorf("%d tried after five minutes", n)
		}
		for i := range questionMost + 10 {
			ask(fmt.Sprint(i), "1")
		}
		if len(q.of) > questionMost+1 || len(q.old) > questionMost+1 {
			t.Errorf("%d calls remembered", len(q.of))
		}
	})
}
