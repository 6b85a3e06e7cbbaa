package vault

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/media"
	"zaseki/media/sealed"
	"zaseki/web/guard"
	"zaseki/web/wire"
)

// person is who wants to hear: all may be heard by staff, own calls by an agent whom site or policies let.
type person struct {
	account string
	staff   bool
	own     bool
}

// who is it that asks: a phone with its session's token, else a page of the center.
func (v *Vault) who(r *http.Request) (person, bool) {
	if p, err := v.cfg.Phone(r); err == nil {
		return person{account: p.Account, staff: p.Role != "agent", own: v.cfg.Policy(p.Account).Hear}, true
	}
	account, ok := v.cfg.Staff(r)
	return person{account: account, staff: ok}, ok
}

func (p person) mayHear(i sealed.Info) bool { return p.staff || p.own && i.Account == p.account }

// hear sends the recording as a WAV file: agent left, caller right. That somebody hears it is in the ledger before the first
// byte leaves. To who may not hear it there is no such recording.
func (v *Vault) hear(w http.ResponseWriter, r *http.Request) {
	who, ok := v.who(r)
	name := r.PathValue("id")
	switch {
	case !ok:
		say(w, http.StatusUnauthorized, wire.ProblemExpired)
		return
	case !id.MatchString(name):
		say(w, http.StatusNotFound, wire.ProblemRecordNone)
		return
	}
	if err := v.turn(r.Context()); err != nil {
		return // gone
	}
	defer func() { <-v.turns }()
	info, length, err := v.measure(name)
	if err == nil && !who.mayHear(info) {
		v.log.Warn("recording not given", "recording", name, "account", who.account, "of", info.Account)
		err = fs.ErrNotExist
	}
	if err == nil {
		err = v.tell(r.Context(), Event{What: "heard", ID: name, Account: info.Account, Call: info.Call}, who.account)
	}
	if err != nil {
		v.fail(w, r, err)
		return
	}
	v.log.Info("recording heard", "recording", name, "account", info.Account, "call", info.Call, "by", who.account)
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Content-Length", strconv.FormatInt(media.WAVHead+4*length, 10))
	h.Set("Content-Disposition", `inline; filename="`+name+`.wav"`)
	if err := v.play(w, name, length); err != nil && r.Context().Err() == nil {
		v.log.Warn("recording not sent whole", "recording", name, "err", err)
	}
}

// open opens a recording; its file is to be closed.
func (v *Vault) open(path string) (*os.File, *sealed.Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	r, err := sealed.Open(f, v.cfg.Key)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, r, nil
}

// measure says whose recording it is and how many samples it has.
func (v *Vault) measure(name string) (sealed.Info, int64, error) {
	f, r, err := v.open(v.place(name))
	if err != nil {
		return sealed.Info{}, 0, err
	}
	defer f.Close()
	length, err := media.RecordLength(r)
	return r.Info(), length, err
}

func (v *Vault) play(w http.ResponseWriter, name string, length int64) error {
	f, r, err := v.open(v.place(name))
	if err != nil {
		return err
	}
	defer f.Close()
	return media.WriteWAV(&paced{ResponseController: http.NewResponseController(w), to: w}, r, length)
}

// paced gives every write a minute: whoever stops reading holds nothing of us for longer.
type paced struct {
	*http.ResponseController
	to http.ResponseWriter
}

func (p *paced) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(time.Minute)) // a test's recorder has none
	return p.to.Write(b)
}

// Row is a recording in a list.
type Row struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Call    string    `json:"call"`
	Inbound bool      `json:"inbound"`
	Peer    string    `json:"peer"`
	Queue   string    `json:"queue,omitempty"`
	Began   time.Time `json:"began"`
	Bytes   int64     `json:"bytes"` // sealed
}

// list tells the recordings of a day that one may hear, the oldest first. What cannot be opened is left out and logged.
func (v *Vault) list(w http.ResponseWriter, r *http.Request) {
	who, ok := v.who(r)
	if !ok {
		say(w, http.StatusUnauthorized, wire.ProblemExpired)
		return
	}
	q, err := guard.Query(r.URL.RawQuery, "day", "account")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	day, err := time.Parse(time.DateOnly, q.Get("day"))
	if err != nil {
		http.Error(w, "day=YYYY-MM-DD is needed", http.StatusBadRequest)
		return
	}
	dir := filepath.Join(v.dir, day.Format("2006"), day.Format("01"), day.Format("02"))
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.fail(w, r, err)
		return
	}
	if err := v.turn(r.Context()); err != nil {
		return // gone
	}
	defer func() { <-v.turns }()
	rows := []Row{}
	for _, e := range entries {
		if r.Context().Err() != nil {
			return
		}
		row, info, err := v.row(filepath.Join(dir, e.Name()))
		if err != nil {
			v.log.Warn("recording not listed", "recording", e.Name(), "err", err)
		} else if who.mayHear(info) && (q.Get("account") == "" || info.Account == q.Get("account")) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return a.Began.Compare(b.Began) })
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(rows) // the reader may have gone
}

func (v *Vault) row(path string) (Row, sealed.Info, error) {
	f, r, err := v.open(path)
	if err != nil {
		return Row{}, sealed.Info{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return Row{}, sealed.Info{}, err
	}
	i := r.Info()
	return Row{ID: strings.TrimSuffix(filepath.Base(path), suffix), Account: i.Account, Call: i.Call, Inbound: i.Inbound,
		Peer: i.Peer, Queue: i.Queue, Began: i.Began, Bytes: stat.Size()}, i, nil
}

func say(w http.ResponseWriter, code int, problem string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(wire.Problem{Code: problem}) // the reader may have gone
}
