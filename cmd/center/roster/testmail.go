package roster

import (
	"context"
	"net/mail"
	"sync"
	"time"

	post "zaseki/cmd/center/roster/mail"
	"zaseki/static"
	"zaseki/web/wire"
)

// MailState is how it goes with the center's mail.
type MailState struct {
	Server string    `json:"server,omitempty"` // "" the center sends none
	At     time.Time `json:"at,omitzero"`      // when this node sent one last, or could not
	Error  string    `json:"error,omitempty"`  // in the words of the mail server; "" it went well
	Test   *MailTest `json:"test,omitempty"`   // the last one that was asked for, at any node
}

// MailTest is a test mail that an administrator had sent.
type MailTest struct {
	At    time.Time `json:"at"`
	To    string    `json:"to"` // masked
	Error string    `json:"error,omitempty"`
}

const mailTestID = "test"

// postbox remembers how the last mail went.
type postbox struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

func (p *postbox) went(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.err = time.Now(), err
}

// MailState of this node.
func (r *Roster) MailState() MailState {
	s := MailState{Server: r.Site().Mail.Server}
	r.mu.RLock()
	if row, ok := r.view.mails[mailTestID]; ok {
		s.Test = &row.v
	}
	r.mu.RUnlock()
	r.postbox.mu.Lock()
	defer r.postbox.mu.Unlock()
	if s.At = r.postbox.at; r.postbox.err != nil {
		s.Error = r.postbox.err.Error()
	}
	return s
}

// TestMail sends a mail by the server of the settings, as they are saved. Its error is a wire.Problem: mail.refused holds the server's own
// words.
func (r *Roster) TestMail(ctx context.Context, to, lang, by string) error {
	if wait, ok := r.mails.take("test "+by, time.Now()); !ok {
		return limited(wait)
	}
	site := r.Site()
	at, err := mail.ParseAddress(to)
	switch {
	case site.Mail.Server == "":
		return wire.Problem{Code: wire.ProblemMailNone}
	case err != nil || at.Address != to:
		return wire.Problem{Code: wire.ProblemMail, Holes: map[string]string{"reason": to}}
	}
	holes := map[string]string{"center": site.Name, "by": by}
	err = post.Send(ctx, r.mailServer(site), post.Message{
		To: to, Subject: static.Say(lang, "mail.test.subject", holes), Text: static.Say(lang, "mail.test.text", holes) + "\n"})
	r.postbox.went(err)
	test := MailTest{At: time.Now().UTC(), To: maskMail(to)}
	if err != nil {
		r.log.Warn("test mail", "by", by, "err", err)
		test.Error = err.Error()
	}
	kept := r.change(ctx, by, func(d *draft) error {
		d.add(KindMail, mailTestID, d.mails[mailTestID].seq, &test, "test mail")
		return nil
	})
	switch {
	case err != nil:
		return wire.Problem{Code: wire.ProblemMail, Holes: map[string]string{"reason": test.Error}}
	case kept != nil:
		return kept
	}
	return nil
}
