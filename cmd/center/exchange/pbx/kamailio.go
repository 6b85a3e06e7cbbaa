package pbx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	askTime      = 3 * time.Second
	refreshEvery = 60 * time.Second // the table forgets after 120 s (autoexpire): a center that is dead closes the gate
	beatEvery    = 5 * time.Second  // a Kamailio that was started anew is told everything within that
	answerMost   = 4 << 20
)

// kamailio is a table of Kamailio's htable module: who takes calls is in it.
type kamailio struct {
	box    Box
	table  string
	client *http.Client
	forgot chan error
	stop   func()
	beats  sync.WaitGroup

	in map[string]bool // terminals that the table has; tell's

	mu    sync.Mutex
	whole bool // the table must be asked, and told everything
	id    int
	up    string // which start of Kamailio
	told  time.Time
}

func openKamailio(ctx context.Context, b Box) (*kamailio, error) {
	cfg, err := believing(b.CA)
	if err != nil {
		return nil, err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	k := &kamailio{
		box: b, table: cmp.Or(b.Table, "avail"), forgot: make(chan error, 1), stop: stop,
		client: &http.Client{Timeout: askTime, Transport: &http.Transport{MaxIdleConns: 1, IdleConnTimeout: 2 * beatEvery, TLSClientConfig: cfg},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	up, err := k.started(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	k.up, k.whole = up, true
	k.beats.Go(func() { k.beat(beating) })
	return k, nil
}

func (k *kamailio) close() {
	k.stop()
	k.beats.Wait()
	k.client.CloseIdleConnections()
}

func (k *kamailio) lost() <-chan error { return k.forgot }

// beat notices a Kamailio that was started anew, and when the table must be said again.
func (k *kamailio) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		up, err := k.started(ctx)
		k.mu.Lock()
		switch {
		case err != nil && ctx.Err() == nil:
		case up != k.up, time.Since(k.told) >= refreshEvery-beatEvery:
			k.up, k.whole, err = up, true, errStale
		}
		k.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			select {
			case k.forgot <- err:
			default:
			}
		}
	}
}

// tell puts who is free into the table and takes the others out. What others put into the table is taken out too.
func (k *kamailio) tell(ctx context.Context, all []Agent) error {
	k.mu.Lock()
	whole := k.whole
	k.whole = false
	if whole {
		k.told = time.Now()
	}
	k.mu.Unlock()
	if whole {
		var err error
		if k.in, err = k.dump(ctx); err != nil {
			return err
		}
	}
	want := map[string]bool{}
	for _, a := range all {
		if a.Free && !a.Busy && a.Terminal != "" {
			want[a.Terminal] = true
		}
	}
	for terminal := range k.in { // first: who must not be rung
		if !want[terminal] {
			if err := k.call(ctx, nil, "htable.delete", k.table, terminal); err != nil && !gone(err) {
				return err
			}
			delete(k.in, terminal)
		}
	}
	for terminal := range want {
		if whole || !k.in[terminal] {
			if err := k.call(ctx, nil, "htable.sets", k.table, terminal, "1"); err != nil {
				return err
			}
			k.in[terminal] = true
		}
	}
	return nil
}

// gone: the key went by itself.
func gone(err error) bool {
	var refused *refusal
	return errors.As(err, &refused)
}

// started tells one start of Kamailio from another: its time, in seconds, and its processes, whose numbers a container repeats.
func (k *kamailio) started(ctx context.Context) (string, error) {
	var up struct {
		Since string `json:"up_since"`
	}
	var processes json.RawMessage
	err := k.call(ctx, &up, "core.uptime")
	if err == nil {
		err = k.call(ctx, &processes, "core.ps")
	}
	return up.Since + string(processes), err
}

// dump is what the table has.
func (k *kamailio) dump(ctx context.Context) (map[string]bool, error) {
	var slots []struct {
		Slot []struct {
			Name string `json:"name"`
		} `json:"slot"`
	}
	if err := k.call(ctx, &slots, "htable.dump", k.table); err != nil && !gone(err) { // of an empty one there is nothing
		return nil, err
	}
	in := map[string]bool{}
	for _, s := range slots {
		for _, row := range s.Slot {
			in[row.Name] = true
		}
	}
	return in, nil
}

// refusal is Kamailio's own answer that it does not do that.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return fmt.Sprintf("kamailio: %s (%d)", r.Message, r.Code) }

// call asks by JSON-RPC 2.0.
func (k *kamailio) call(ctx context.Context, result any, method string, params ...string) error {
	k.mu.Lock()
	k.id++
	id := k.id
	k.mu.Unlock()
	ask := map[string]any{"jsonrpc": "2.0", "method": method, "id": id}
	if len(params) > 0 {
		ask["params"] = params
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.box.Addr, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if k.box.User != "" && k.box.Secret != nil {
		req.SetBasicAuth(k.box.User, k.box.Secret.Reveal())
	}
	res, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, answerMost))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return understand(method, res.StatusCode, data, result)
}

func understand(method string, status int, data []byte, result any) error {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *refusal        `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("%s: no JSON-RPC but HTTP %d %q", method, status, strings.ToValidUTF8(string(data[:min(len(data), 80)]), "?"))
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", method, answer.Error)
	}
	if status/100 != 2 {
		return fmt.Errorf("%s: HTTP %d", method, status)
	}
	if result == nil || len(answer.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}
