package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

func TestNumbersLeaveNothingButTheirEnd(t *testing.T) {
	for _, row := range []struct{ known, text, want string }{
		{"0312345678", "call 0312345678 took 0312345678ms", "call •••••••678 took •••••••678ms"},
		{"+81312345678", "sip:0312345678@pbx 81312345678", "sip:•••••••678@pbx ••••••••678"},
		{"0312345678", "+81 3 1234 5678, 03-1234-5678, (03) 1234-5678", "••••••••678, •••••••678, •••••••678"},
		{"2001", "sip:2001@pbx, port 20010, at 2001", "sip:•001@pbx, port 20010, at •001"},
		{"110", "110", "110"},
		{"0312345678", "o=- 1234567890 2 IN IP4 127.0.0.1", "o=- 1234567890 2 IN IP4 127.0.0.1"},
		{"0312345678", "2026-11-23 10:15:04.312345", "2026-11-23 10:15:04.312345"},
	} {
		var u unnumbered
		u.know(row.known)
		if got := u.mask(row.text); got != row.want {
			t.Errorf("%s: %q", row.known, got)
		}
	}
	var u unnumbered
	u.knowAll("INVITE sip:%2B81451112222@pbx SIP/2.0\r\nTo: <tel:045-333-4444>\r\nFrom: \"x\" <sip:0906667777@pbx;user=phone>")
	if got := u.mask("0451112222 0453334444 0906667777"); got != "•••••••222 •••••••444 •••••••777" {
		t.Error(got)
	}
}

// TestASupportFileHasNoSecretAndNoNumber: after calls in and out, with a real center, and a log that tells every step.
func TestASupportFileHasNoSecretAndNoNumber(t *testing.T) {
	n, _ := site(t, roster.SitePolicy{})
	tail := &logTail{to: io.Discard}
	p, _, until := atCenter(t, n, slog.New(slog.NewTextHandler(tail, &slog.HandlerOptions{Level: slog.LevelDebug})), func() {})
	f := face{p}
	for _, number := range []string{"0312345678", "+81 90 1111 2222", "sip:0455556666@" + demoDomain} {
		f.Post(wire.Dial{Number: number})
		until("refused", func(s wire.Snapshot) bool { return len(s.Calls) == 0 && len(s.Notices) > 0 })
		f.Post(wire.Dismiss{Notice: wire.ProblemCallUnknown})
		f.Post(wire.Dismiss{Notice: wire.ProblemCallFailed})
		until("read", func(s wire.Snapshot) bool { return len(s.Notices) == 0 })
	}
	const pin = "49#29" // four digits alone stand in a random name now and then
	f.Post(wire.Dial{Number: demoEcho})
	talking := until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking })
	f.Post(wire.SendDigits{Call: talking.Calls[0].ID, Digits: pin})
	until("sent", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Digits == pin })

	var file bytes.Buffer
	if err := (why{p, p.cfg.kept, tail}).Support(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	sip := p.account.Secret
	p.mu.Unlock()
	calls, ends := 0, 0
	for _, in := range archive.File {
		r, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, never := range []string{demoPassword, sip, "the-secret-of-a-test", "0312345678", "312345678", "11112222", "55556666", "1234 5678", pin} {
			if strings.Contains(text, never) || strings.Contains(in.Name, never) {
				t.Errorf("%s holds %s", in.Name, never)
			}
		}
		if strings.HasPrefix(in.Name, "calls/") {
			calls++
			ends += strings.Count(text, "•678@")
		}
	}
	if calls < 4 || ends == 0 || sip == "" {
		t.Errorf("%d calls, %d ends of a number", calls, ends)
	}
	until("still in its call", func(wire.Snapshot) bool { f.Post(wire.HangUp{Call: talking.Calls[0].ID}); return true })
}

func TestNamesOfPhonebooksAndNotesStayHere(t *testing.T) {
	var u unnumbered
	u.book([]wire.Contact{{Name: "Suzuki Trading", Number: "0312345678"}})
	got, err := json.Marshal(u.shared(wire.Snapshot{
		Contacts: []wire.Contact{{Name: "Mother", Number: "0451112222", Note: "only evenings"}},
		Calls:    []wire.Call{{ID: "c1", Name: "Suzuki Trading", MovedBy: "Mother", Note: "owes us 500"}},
		History:  []wire.PastCall{{ID: "c0", Name: "Mother", Note: "was angry", Outcome: "later"}, {ID: "c2", Name: "ACME"}},
		Ask:      &wire.Question{Kind: "dial", Name: "Mother"}, Pop: &wire.Pop{URL: "https://crm.example/?token=x"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"Suzuki", "Mother", "owes", "angry", "evenings", "crm.example"} {
		if strings.Contains(string(got), never) {
			t.Errorf("there is %s: %s", never, got)
		}
	}
	for _, still := range []string{"ACME", "later", "••• (9)"} {
		if !strings.Contains(string(got), still) {
			t.Errorf("there is no %s: %s", still, got)
		}
	}
}
