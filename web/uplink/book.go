package uplink

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"zaseki/web/wire"
)

// maxBook is how much a shared phonebook may be, bytes: 20,000 contacts with long names.
const maxBook = 32 << 20

type (
	// BookChanged says that the center has a newer phonebook: ask for it with Phonebook.
	BookChanged struct{ Rev uint64 }
	// SettingsAsked is the center's wish to know the settings of this phone; TellSettings answers.
	SettingsAsked struct{ By string }
)

// Phonebook is the center's. rev is of the one that is known here, 0 none; changed is false when that is still it, and the answer
// empty. It wants a session. Every error is a wire.Problem.
func (u *Uplink) Phonebook(ctx context.Context, rev uint64) (book wire.Phonebook, changed bool, err error) {
	token, err := u.bearer()
	if err != nil {
		return book, false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.base()+"/api/v1/phonebook", nil)
	if err != nil {
		return book, false, u.unreachable()
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	if rev > 0 {
		req.Header.Set("If-None-Match", `"`+strconv.FormatUint(rev, 10)+`"`)
	}
	resp, err := u.client.Do(req) // the transport asks for it packed and unpacks it
	if err != nil {
		u.log.Debug("phonebook of the center", "err", err)
		return book, false, u.unreachable()
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return book, false, nil
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBook+1))
	if err != nil {
		return book, false, u.unreachable()
	}
	if resp.StatusCode != http.StatusOK || len(data) > maxBook || json.Unmarshal(data, &book) != nil {
		return wire.Phonebook{}, false, failure(understand(resp.StatusCode, data, nil))
	}
	return book, true, nil
}

// failure is an error also of an answer that should have been none.
func failure(err error) error {
	if err == nil {
		return wire.Problem{Code: wire.ProblemCenter}
	}
	return err
}

// Note gives the center what the agent wrote about a call. nil: the center has it, or a newer one. Of row.unknown and note.value the
// center will never take it; after any other problem it is to be said again. Saying it twice does no harm.
func (u *Uplink) Note(ctx context.Context, n wire.CallNote) error { return u.Ask(ctx, n) }

// RaiseHand asks a supervisor to come, or no more. The agent's State tells when it is so.
func (u *Uplink) RaiseHand(ctx context.Context, hand wire.RaiseHand) error { return u.Ask(ctx, hand) }

// TellSettings answers SettingsAsked.
func (u *Uplink) TellSettings(ctx context.Context, v wire.Values) error {
	return u.Ask(ctx, wire.SettingsReport{Values: v})
}

// NewCodes makes ten new recovery codes, shown once; the old ones count no more. in.Code is one of the factor that is set up.
func (u *Uplink) NewCodes(ctx context.Context, in wire.FactorRequest) ([]string, error) {
	var out wire.FactorCodes
	token, err := u.bearer()
	if err == nil {
		err = u.post(ctx, "/api/v1/factor/codes", in, token, &out)
	}
	return out.Recovery, err
}
