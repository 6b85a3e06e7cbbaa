package cmd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/media/ng"
	"zaseki/sip"
)

// webGateway makes of testdata/kamailio.cfg a gateway of the web: who comes by websocket has ICE and DTLS, who comes by UDP has
// plain RTP, and rtpengine stands between.
func webGateway(dir, server, wss, control string) []string {
	return []string{
		"tcp_connection_lifetime=3604", "tcp_connection_lifetime=3604\nenable_tls=yes\ntcp_accept_no_cl=yes\nlisten=tls:" + wss,
		`loadmodule "nathelper.so"`, `loadmodule "nathelper.so"
loadmodule "kex.so"
loadmodule "tls.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "rtpengine.so"
modparam("tls", "private_key", "` + dir + `/key.pem")
modparam("tls", "certificate", "` + dir + `/cert.pem")
modparam("tls", "verify_certificate", 0)
modparam("tls", "require_certificate", 0)
modparam("tls", "tls_method", "TLSv1.2+")
modparam("usrloc", "nat_bflag", 6)
modparam("registrar", "received_avp", "$avp(RECEIVED)")
modparam("nathelper", "received_avp", "$avp(RECEIVED)")
modparam("rtpengine", "rtpengine_sock", "udp:` + control + `")`,
		`"SHA-256"`, `"MD5"`, // baresip 1.0 knows no other
		"request_route {", `event_route[xhttp:request] {
    if ($hdr(Upgrade) =~ "websocket" && $rm =~ "GET") { if (ws_handle_handshake()) { exit; } }
    xhttp_reply("404", "Not Found", "", "");
}
route[MEDIA] {
    if (is_method("BYE")) { rtpengine_delete(); return; }
    if (!is_method("INVITE") || !has_body("application/sdp")) { return; }
    if ($proto == "wss") { rtpengine_offer("RTP/AVP ICE=remove DTLS=off SDES-off rtcp-mux-demux"); }
    else { rtpengine_offer("UDP/TLS/RTP/SAVPF ICE=force SDES-off rtcp-mux-offer"); }
    t_on_reply("MEDIA");
}
onreply_route[MEDIA] {
    if (is_first_hop()) { set_contact_alias(); }
    if (!has_body("application/sdp")) { return; }
    if ($proto == "wss") { rtpengine_answer("RTP/AVP ICE=remove DTLS=off SDES-off rtcp-mux-demux"); }
    else { rtpengine_answer("UDP/TLS/RTP/SAVPF ICE=force SDES-off rtcp-mux-offer"); }
}
request_route {`,
		"    force_rport();\n", `    force_rport();
    if (is_method("REGISTER")) { fix_nated_register(); } else if (is_first_hop()) { set_contact_alias(); }
    setbflag(6);
`,
		"if (loose_route()) {", "if (loose_route()) { handle_ruri_alias(); route(MEDIA);",
		`sl_send_reply("480", "Not registered"); exit; }`, `sl_send_reply("480", "Not registered"); exit; }` + "\n    route(MEDIA);",
	}
}

// trusted writes a new certificate for that address with its key, and returns the roots that vouch for it.
func trusted(t *testing.T, dir, ip string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"pbx.test"}, IPAddresses: []net.IP{net.ParseIP(ip)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(root)
	return roots
}

// TestOverAWebsocketThroughAGatewayOfTheWeb: SIP by WSS to a real Kamailio, sound by ICE and DTLS to a real rtpengine, and beyond
// them a telephone with plain RTP, which is called and calls.
func TestOverAWebsocketThroughAGatewayOfTheWeb(t *testing.T) {
	need(t, "kamailio", "rtpengine", "baresip")
	const secret = "gateway-secret"
	dir := t.TempDir()
	server, wss := freePort(t, "127.0.9.1"), freePort(t, "127.0.9.1")
	var log bytes.Buffer
	relay, err := ng.Start(context.Background(), "127.0.0.1", &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	defer relay.Close()
	roots := trusted(t, dir, "127.0.9.1")
	kamailio(t, dir, server, secret, webGateway(dir, server, wss, relay.Control())...)
	d := newDeskphoneBy(t, sip.Account{Server: "wss://" + wss + "/sip", Transport: "wss", Password: plainSecret(secret), TLS: &tls.Config{RootCAs: roots}})
	b := newBaresip(t, server, secret, "")
	for _, weCall := range []bool{true, false} {
		t.Run(fmt.Sprint("we call ", weCall), func(t *testing.T) {
			d.t, b.t = t, t
			mark := b.mark()
			call, phase := d.ring(b, weCall, media.Security{Policy: media.PolicyDTLS})
			if phase != "talking" {
				t.Fatal(phase)
			}
			d.hears("after the answer")
			if st := d.sound.Stats(call); !strings.HasPrefix(st.Secure, "DTLS ") {
				t.Errorf("encrypted by %q", st.Secure)
			}
			d.goesOn(b, call, mark, true)
		})
	}
}
