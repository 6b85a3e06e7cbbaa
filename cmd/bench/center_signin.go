package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

const (
	signInRounds   = 5
	signInStretch  = 4 * time.Second
	signInClients  = 8
	signInPassword = "a password of the bench"
)

// centerSignIn measures how many people a second a center lets in, by password, with two cores: the start of a shift.
type centerSignIn struct {
	ctx context.Context
	dir string
}

func (b *centerSignIn) rows() []measure {
	return []measure{{"center.signin_rate", b.rate}}
}

func (b *centerSignIn) rate() (row, error) {
	dir, err := os.MkdirTemp(b.dir, "signin")
	if err != nil {
		return row{}, err
	}
	n, err := node.New(node.Config{Data: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return row{}, err
	}
	ctx, stop := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	defer func() { stop(); <-ended }()
	if err := n.Apply(ctx, signInSetup()); err != nil {
		return row{}, err
	}
	var let, hashed []float64
	for range signInRounds {
		hashed = append(hashed, hashRate())
		rate, err := signInRate(ctx, n.HTTP())
		if err != nil {
			return row{}, err
		}
		let = append(let, rate)
	}
	r := newRow("center.signin_rate", "1/s", 0, let, "argon2id hashes a second, two at a time, of the same machine", hashed)
	r.Least = 30
	return r, nil
}

func signInSetup() (s roster.Setup) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	b64 := base64.RawStdEncoding.EncodeToString
	hash := fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, roster.HashMemory, roster.HashTime, b64(salt), b64(signInHash(salt)))
	for i := range signInClients {
		s.Accounts = append(s.Accounts, roster.AccountSetup{Account: fmt.Sprint("agent", i), Hash: hash})
		s.Terminals = append(s.Terminals, roster.TerminalSetup{Extension: fmt.Sprint(2000 + i), Account: fmt.Sprint("agent", i)})
	}
	return s
}

func signInHash(salt []byte) []byte {
	return argon2.IDKey([]byte(signInPassword), salt, roster.HashTime, roster.HashMemory, 1, 32)
}

// hashRate is what the passwords alone would allow.
func hashRate() float64 {
	var done atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range 2 {
		wg.Go(func() {
			for salt := make([]byte, 16); time.Since(began) < signInStretch/2; done.Add(1) {
				signInHash(salt)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(began).Seconds()
}

// signInRate lets each client sign in over and over, both steps.
func signInRate(ctx context.Context, url string) (float64, error) {
	var done atomic.Int64
	errs := make(chan error, signInClients)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range signInClients {
		wg.Go(func() {
			for time.Since(began) < signInStretch {
				if err := signInOnce(ctx, url, i); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	rate := float64(done.Load()) / time.Since(began).Seconds()
	select {
	case err := <-errs:
		return 0, err
	default:
		return rate, nil
	}
}

func signInOnce(ctx context.Context, url string, i int) error {
	var c wire.Checked
	if err := postJSON(ctx, url+"/api/v1/check", wire.CheckRequest{Account: fmt.Sprint("agent", i), Password: signInPassword}, &c); err != nil {
		return err
	}
	var w wire.Welcome
	return postJSON(ctx, url+"/api/v1/signin", wire.SignInRequest{Ticket: c.Ticket, Terminal: fmt.Sprint(2000 + i), Status: wire.StatusAway, Takeover: true, Machine: "bench"}, &w)
}

func postJSON(ctx context.Context, url string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %.200s", url, res.Status, data)
	}
	return json.Unmarshal(data, out)
}
