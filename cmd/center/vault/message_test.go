package vault_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zaseki/cmd/center/vault"
	"zaseki/media/sealed"
)

func TestAMessageIsHeardByStaffAlone(t *testing.T) {
	r := newRoom(t)
	began := time.Now().Truncate(time.Microsecond)
	leave := func() *vault.Message {
		m, err := r.vault.Message(sealed.Info{Call: "c1", Queue: "Support", Peer: "0312345678", Began: began})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Write([]byte{1, 0, 0, 0, 5, 0x20, 0, 0, 0x27, 0x10}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	kept, dropped := leave(), leave()
	if err := kept.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	dropped.Drop()
	killed := leave() // and the center with it
	r.server.Close()
	r.open()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.vault.Run(ctx) }()
	defer func() {
		cancel()
		<-done
	}()
	place := filepath.Join(r.dir, "recordings", began.UTC().Format("2006/01/02"))
	for end := time.Now().Add(10 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(place, killed.ID()+".rec")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what was left at the kill is lost")
		}
	}
	var rows []vault.Row
	_, body := r.ask(http.MethodGet, "staff", "/api/v1/recordings?day="+began.UTC().Format(time.DateOnly), nil, nil)
	if err := json.Unmarshal(body, &rows); err != nil || len(rows) != 2 {
		t.Fatalf("%v %s", err, body)
	}
	if rows[0].Queue != "Support" || rows[0].Peer != "0312345678" || rows[0].Account != "" {
		t.Fatalf("%+v", rows[0])
	}
	for who, want := range map[string]int{"staff": http.StatusOK, "alice": http.StatusNotFound} {
		resp, _ := r.ask(http.MethodGet, who, "/api/v1/recordings/"+kept.ID(), nil, nil)
		r.want(who, resp.StatusCode, want)
	}
}
