package main

import (
	"context"
	"time"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// bookTime is for the whole of a shared phonebook.
const bookTime = time.Minute

// keptBook is the shared phonebook of a center as it lies in this phone's folder: it is there when the center is not.
type keptBook struct {
	Center string         `json:"center"`
	Book   wire.Phonebook `json:"book"`
}

// Phonebook is the shared phonebook that faces may see now; nothing while nobody is signed in whom the center shows it.
func (p *phone) Phonebook() wire.Phonebook {
	news, stop := p.agent.Watch()
	shown := (<-news).Book != 0
	stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !shown {
		return wire.Phonebook{Contacts: []wire.Contact{}}
	}
	return p.book
}

// fetchBook asks for what is newer than what is here.
func (p *phone) fetchBook(ctx context.Context, rev uint64) {
	ctx, cancel := context.WithTimeout(ctx, bookTime)
	defer cancel()
	book, changed, err := p.uplink.Phonebook(ctx, rev)
	if err != nil {
		problem := p.problem("phonebook", err)
		p.agent.Post(agent.BookCame{Problem: &problem})
		return
	}
	if changed {
		p.mu.Lock()
		p.book = book
		p.mu.Unlock()
		p.note("keep phonebook", p.cfg.store.book(keptBook{p.cfg.center.url, book}))
	}
	p.agent.Post(p.indexed())
}

// indexed is the phonebook that is here as the agent wants it.
func (p *phone) indexed() agent.BookCame {
	p.mu.Lock()
	book, plan := p.book, p.plan
	p.mu.Unlock()
	return agent.BookCame{Rev: book.Rev, Names: agent.Index(plan, book.Contacts)}
}

// dropBook: the center has none any more, or not for this account.
func (p *phone) dropBook() {
	p.mu.Lock()
	p.book = wire.Phonebook{}
	p.mu.Unlock()
	p.note("drop phonebook", p.cfg.store.book(keptBook{}))
}

// recall is what lies here of that account.
func (p *phone) recall(account string) agent.Recalled {
	r := p.cfg.store.of(p.cfg.center.url, account).recall()
	if kept := p.cfg.store.keptBook(); kept.Center == p.cfg.center.url {
		p.mu.Lock()
		p.book = kept.Book
		p.mu.Unlock()
		r.Book = p.indexed()
	}
	return r
}

// deskEffect carries out what goes between this person's desk and the center beside calls. A robot has no desk.
func (p *phone) deskEffect(ctx context.Context, e agent.Effect) {
	if p.cfg.kept == nil {
		return
	}
	switch e := e.(type) {
	case agent.FetchBook:
		p.fetchBook(ctx, e.Rev)
	case agent.DropBook:
		p.dropBook()
	case agent.SendNote:
		told := agent.NoteTold{Note: e.Note}
		if err := p.uplink.Note(ctx, e.Note); err != nil {
			problem := p.problem("note", err)
			told.Problem = &problem
		}
		p.agent.Post(told)
	case agent.AskPast:
		if past, err := p.uplink.CallHistory(ctx, ""); err == nil { // else it is no worse than before
			p.agent.Post(agent.PastCame{Calls: past.Calls})
		}
	case agent.SendSettings:
		p.note("tell settings", p.uplink.TellSettings(ctx, e.Values))
	case agent.KeepContacts:
		p.note("keep contacts", p.storeOf(e.Whose).contacts(e.Contacts))
	case agent.KeepMissed:
		p.note("keep missed calls", p.storeOf(e.Whose).missed(e.Missed))
	case agent.KeepNotes:
		p.note("keep notes", p.storeOf(e.Whose).notes(e.Notes))
	}
}

// storeOf is where what belongs to an account lies; "" is whoever works here without a center.
func (p *phone) storeOf(account string) store {
	if account == "" {
		return p.cfg.store
	}
	return p.cfg.store.of(p.cfg.center.url, account)
}
