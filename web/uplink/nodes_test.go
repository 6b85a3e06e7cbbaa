package uplink

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"zaseki/web/wire"
)

func TestAPhoneLearnsWhereTheCenterIsBesides(t *testing.T) {
	for _, tc := range []struct {
		name, given string
		others      []string
		want        []string
	}{
		{"none", "https://a:8443", nil, []string{"https://a:8443"}},
		{"two others", "https://a:8443", []string{"https://b:8443/", "https://c:8443"}, []string{"https://a:8443", "https://b:8443", "https://c:8443"}},
		{"itself again", "https://a:8443/", []string{"https://a:8443"}, []string{"https://a:8443"}},
		{"one without TLS", "https://a:8443", []string{"http://b:8080"}, []string{"https://a:8443"}},
		{"without TLS from the beginning", "http://127.0.0.1:1", []string{"http://127.0.0.1:2"}, []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}},
		{"no addresses", "https://a", []string{"", "://", "ftp://b", "https://b/path", "https://u:p@b", "b:8443"}, []string{"https://a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := New(Config{URL: tc.given})
			u.learn(tc.others)
			if got := u.Nodes(); !slices.Equal(got, tc.want) {
				t.Fatalf("knows %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAPhoneTriesTheNodesInTurnAndBeginsAtItsOwn(t *testing.T) {
	u := New(Config{URL: "https://a"})
	u.learn([]string{"https://b", "https://c"})
	for _, want := range []string{"https://a", "https://b", "https://c", "https://a", "https://b"} {
		if got := u.base(); got != want {
			t.Fatalf("at %s, want %s", got, want)
		}
		u.turn()
	}
	u.learn([]string{"https://b"}) // it speaks to c, which says that b is there
	if got := u.base(); got != "https://c" {
		t.Fatalf("at %s after it learnt more", got)
	}
	u.home()
	if got := u.base(); got != "https://a" {
		t.Fatalf("at %s at home", got)
	}
}

func TestAfterAGoodbyePhonesComeBackAtMomentsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moments []time.Duration
		for range 50 {
			u := New(Config{URL: "https://a"})
			began := time.Now()
			if over := u.farewell(t.Context(), &session{}, wire.Bye{Spread: 1 << 30, Nodes: []string{"https://b"}}); over {
				t.Fatal("the session ended")
			}
			if u.base() != "https://b" {
				t.Fatalf("goes on at %s", u.base())
			}
			moments = append(moments, time.Since(began))
		}
		if last := slices.Max(moments); last > 10*time.Second || last < 5*time.Second {
			t.Fatalf("the last of fifty came after %v", last)
		}
		if slices.Sort(moments); moments[0] == moments[len(moments)-1] {
			t.Fatal("all came at once")
		}
	})
}
