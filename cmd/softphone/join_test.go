package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func TestLinksThatAreNoneAreRefused(t *testing.T) {
	for _, link := range []string{"", "127.0.0.1:8080", "ftp://h", "http://", "http://user:pw@h", "center://h:1", "center://h:1/#short",
		"center://h:1/#" + strings.Repeat("?", 43), "javascript:alert(1)"} {
		if c, err := join(link); err == nil {
			t.Errorf("%q is taken as %+v", link, c)
		}
	}
	if c, err := join(" http://127.0.0.1:8080/some/page "); err != nil || c.url != "http://127.0.0.1:8080" || c.tls != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAJoinLinkPinsTheCenter: with the link of a real center off loopback the phone reaches it; with another pin it does not.
func TestAJoinLinkPinsTheCenter(t *testing.T) {
	n, err := node.New(node.Config{Data: filepath.Join(t.TempDir(), "center"), HTTP: "0.0.0.0:0", SIP: "127.0.0.1:0", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	_, pin, ok := strings.Cut(n.Join(), "#")
	_, port, _ := strings.Cut(strings.TrimPrefix(n.HTTP(), "https://"), ":")
	if i := strings.LastIndex(port, ":"); i >= 0 {
		port = port[i+1:]
	}
	if !ok || !strings.HasPrefix(n.Join(), "center://") {
		t.Fatalf("join link %q", n.Join())
	}
	try := func(pin string) error {
		c, err := join("center://localhost:" + port + "/#" + pin)
		if err != nil {
			t.Fatal(err)
		}
		up := uplink.New(uplink.Config{URL: c.url, TLS: c.tls, Log: quiet, Tell: func(uplink.Event) {}})
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err = up.Check(ctx, "nobody", wire.Secret("no such password"))
		return err
	}
	if err := try(pin); err == nil || err.Error() != wire.ProblemSignIn {
		t.Errorf("with the right pin: %v, want the center's own refusal", err)
	}
	other := strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, pin[:42]) + pin[42:]
	if err := try(other); err == nil || !strings.HasPrefix(err.Error(), wire.ProblemUnreachable) {
		t.Errorf("with another pin: %v, want unreachable", err)
	}
}
