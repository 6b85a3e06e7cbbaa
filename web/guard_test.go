package web

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/socket"
)

// TestWhoMayAskForWhat: reliability (D7), (D12).
func TestWhoMayAskForWhat(t *testing.T) {
	r := start(t)
	_, port, _ := net.SplitHostPort(r.Addr())
	json := "application/json"
	own := map[string]string{"Origin": r.own, "Content-Type": json}
	type head = map[string]string
	for _, row := range []struct {
		name, method, path string
		head               head
		cookie             bool
		want               int
	}{
		{"page", "GET", "/", nil, false, 200},
		{"page by name", "GET", "/", head{"Host": "localhost:" + port}, false, 200},
		{"page by the other loopback", "GET", "/", head{"Host": "[::1]:" + port}, false, 200},
		{"rebound name", "GET", "/", head{"Host": "evil.example:" + port}, true, 421},
		{"rebound name before the secret", "POST", "/session", head{"Host": "evil.example"}, false, 421},
		{"name with our address in it", "GET", "/js/main.js", head{"Host": "127.0.0.1.nip.io:" + port}, true, 421},
		{"other port", "GET", "/", head{"Host": "127.0.0.1:1"}, true, 421},
		{"no port", "GET", "/", head{"Host": "127.0.0.1"}, true, 421},
		{"trailing dot", "GET", "/", head{"Host": "127.0.0.1.:" + port}, true, 421},
		{"all addresses", "GET", "/", head{"Host": "0.0.0.0:" + port}, true, 421},
		{"mapped address", "GET", "/", head{"Host": "[::ffff:7f00:1]:" + port}, true, 421},
		{"short address", "GET", "/", head{"Host": "127.1:" + port}, true, 421},

		{"post without Origin", "POST", "/media/offer", head{"Content-Type": json}, true, 403},
		{"post from null", "POST", "/media/offer", head{"Origin": "null", "Content-Type": json}, true, 403},
		{"post from another port", "POST", "/media/offer", head{"Origin": "http://127.0.0.1:1", "Content-Type": json}, true, 403},
		{"post from a longer name", "POST", "/media/offer", head{"Origin": "http://127.0.0.1:" + port + ".evil.example", "Content-Type": json}, true, 403},
		{"post from https", "POST", "/media/offer", head{"Origin": "https://" + r.Addr(), "Content-Type": json}, true, 403},
		{"post from our other name", "POST", "/media/offer", head{"Origin": "http://localhost:" + port, "Content-Type": json}, true, 403},
		{"post the browser calls cross-site", "POST", "/media/offer", head{"Origin": r.own, "Sec-Fetch-Site": "cross-site", "Content-Type": json}, true, 403},
		{"post as a form", "POST", "/media/offer", head{"Origin": r.own, "Content-Type": "text/plain"}, true, 415},
		{"own post without session", "POST", "/media/offer", own, false, 401},
		{"own post", "POST", "/media/offer", own, true, 400},
		{"get where post is meant", "GET", "/media/offer", nil, true, 404},
		{"delete", "DELETE", "/", own, true, 405},
		{"preflight", "OPTIONS", "/media/offer", head{"Origin": "http://evil.example"}, false, 403},

		{"script fetched by a foreign page", "GET", "/js/main.js", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, true, 403},
		{"page in a foreign frame", "GET", "/", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, true, 403},
		{"followed link", "GET", "/", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false, 200},
		{"script of our own", "GET", "/js/main.js", head{"Sec-Fetch-Site": "same-origin"}, false, 200},

		{"check without session", "GET", "/session/check", nil, false, 401},
		{"check", "GET", "/session/check", nil, true, 204},
		{"metrics without session", "GET", "/metrics", nil, false, 401},
		{"metrics", "GET", "/metrics", nil, true, 200},
		{"metrics with a wrong bearer", "GET", "/metrics", head{"Authorization": "Bearer x"}, false, 401},
		{"metrics with the token", "GET", "/metrics", head{"Authorization": "Bearer " + strings.Split(r.URL(), "#")[1]}, false, 200},
		{"websocket without upgrade", "GET", "/ws?page=abcdefgh", nil, true, 400},
		{"websocket without page", "GET", "/ws", nil, true, 400},
		{"seat view", "GET", "/seats", nil, false, 200},
		{"nothing", "GET", "/nosuch", nil, true, 404},
		{"source of the page by its file name", "GET", "/index.html", nil, true, 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := ""
			if row.method == "POST" {
				body = "{}"
			}
			resp := r.do(t, row.method, row.path, body, row.head, row.cookie)
			if resp.StatusCode != row.want {
				t.Errorf("%d, want %d", resp.StatusCode, row.want)
			}
			csp := resp.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "evil") {
				t.Errorf("policy %q", csp)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("grants %s", name)
				}
			}
		})
	}
}

func TestASecretOpensASession(t *testing.T) {
	r := start(t)
	token := strings.Split(r.URL(), "#")[1]
	once := strings.Split(r.OneTimeURL("seats"), "#")[1]
	if !strings.Contains(r.OneTimeURL("seats"), "/seats#") || len(token) < 43 {
		t.Errorf("addresses %s, %s", r.URL(), r.OneTimeURL("seats"))
	}
	for _, row := range []struct {
		name, secret string
		opens        bool
	}{
		{"empty", "", false},
		{"wrong", strings.Repeat("A", 43), false},
		{"a part", token[:42], false},
		{"longer", token + "A", false},
		{"the token", token, true},
		{"the token again", token, true},
		{"the code", once, true},
		{"the code again", once, false},
	} {
		c := r.session(t, row.secret)
		if (c != nil) != row.opens {
			t.Errorf("%s: opened is %v", row.name, c != nil)
		}
		if c != nil && (!c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Value == token) {
			t.Errorf("%s: cookie %+v", row.name, c)
		}
	}
	if s := r.log.String(); strings.Contains(s, token) || strings.Contains(s, r.jar.Value) {
		t.Error("a secret is in the log")
	}
}

func TestAWebsocketNeedsOwnOriginAndSession(t *testing.T) {
	r := start(t)
	cookie := r.jar.Name + "=" + r.jar.Value
	for _, row := range []struct {
		name, origin, cookie, host string
		want                       int
	}{
		{"own", r.own, cookie, "", 0},
		{"no Origin", "", cookie, "", 403},
		{"foreign", "http://evil.example", cookie, "", 403},
		{"null", "null", cookie, "", 403},
		{"other port", "http://127.0.0.1:1", cookie, "", 403},
		{"no session", r.own, "", "", 401},
		{"wrong session", r.own, r.jar.Name + "=x", "", 401},
		{"rebound", "http://evil.example", cookie, "evil.example", 421},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range map[string]string{"Origin": row.origin, "Cookie": row.cookie, "Host": row.host} {
				if v != "" {
					h.Set(k, v)
				}
			}
			c, err := socket.Dial(soon(t), "ws://"+r.Addr()+"/ws?page=page-"+strings.ReplaceAll(row.name, " ", "-"), h, socket.Options{})
			if err == nil {
				c.Close(socket.GoingAway, "")
			}
			var refused *socket.Refused
			if (row.want == 0) != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Status != row.want) {
				t.Errorf("got %v, want %d", err, row.want)
			}
		})
	}
}
