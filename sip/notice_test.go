package sip

import (
	"testing"

	"zaseki/sip/stack"
)

func FuzzSummary(f *testing.F) {
	f.Add("Messages-Waiting: yes\r\nMessage-Account: sip:a@h\r\nVoice-Message: 2/8 (0/2)\r\n")
	f.Add("messages-waiting:no\nvoice-message: -1/99999999999999999999")
	f.Fuzz(func(t *testing.T, body string) {
		m, ok := parseSummary(body)
		if ok && (m.New < 0 || m.Old < 0 || !stack.Clean(m.Account)) {
			t.Errorf("%q gave %+v", body, m)
		}
	})
}

func FuzzDialogInfo(f *testing.F) {
	f.Add([]byte(`<dialog-info version="1" state="full"><dialog id="a" direction="recipient"><state>early</state></dialog></dialog-info>`), []byte(`<dialog-info version="2" state="partial"/>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><dialog-info><dialog><state>&a;</state></dialog></dialog-info>`), []byte(""))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var l lamp
		_ = l.take(first)
		_ = l.take(second)
		if len(l.dialogs) > dialogsMax {
			t.Errorf("%d dialogs", len(l.dialogs))
		}
		switch l.state() {
		case LampIdle, LampRinging, LampBusy:
		default:
			t.Errorf("state %q", l.state())
		}
	})
}
