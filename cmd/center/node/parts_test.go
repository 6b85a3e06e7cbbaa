package node

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"
)

func TestImportErrorsNamePlaceAndField(t *testing.T) {
	rows := []struct {
		name string
		file string // accounts.csv and so on make a folder, other names are the file itself
		text string
		want []string
	}{
		{"json syntax", "x.json", "{\n \"accounts\": [\n  {\"account\": \"a\",}\n ]\n}", []string{"line 3, column"}},
		{"json type", "x.json", "{\n\"seats\": [{\"id\":\"1\",\"x\":\"left\"}]}", []string{"line 2", "x"}},
		{"json field nobody knows", "x.json", `{"acounts":[]}`, []string{"line 1", "acounts"}},
		{"json twice", "x.json", "{}\n{}", []string{"line 2", "follows"}},
		{"csv column nobody knows", "accounts.csv", "account,nmae\na,b\n", []string{"accounts.csv", "line 1, column 9", "nmae"}},
		{"csv number", "seats.csv", "id,floor,x,y\n1,1,0,0\n2,1,x,0\n", []string{"seats.csv", "line 3, column 5", "x is not a whole number"}},
		{"csv truth", "accounts.csv", "account,agent\na,maybe\n", []string{"line 2, column 3", "agent is neither yes nor no"}},
		{"csv row too short", "queues.csv", "extension,name\n7000\n", []string{"line 2", "wrong number of fields"}},
		{"csv quote", "queues.csv", "extension,name\n7000,\"x\n", []string{"line 2"}},
		{"csv empty", "queues.csv", "", []string{"line 1"}},
		{"folder without tables", "notes.txt", "x", []string{"has none of accounts.csv"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, r.file)
			if err := os.WriteFile(path, []byte(r.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(r.file, ".json") {
				path = dir
			}
			_, _, err := ReadSetup(path)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range r.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// tablesOf are CSV files as a spreadsheet saves them.
func tablesOf(t *testing.T) map[string][]byte {
	sjis, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte("account,name,password,terminals,groups,mail,off\r\naoki,青木 美咲, pass word 1 ,1001;1002,sales;night,aoki@example.jp,はい\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"accounts.csv":  sjis,
		"terminals.csv": []byte("\ufeffextension,type,account\n1001,,aoki\n1101,desk,\n"),
		"statuses.csv":  []byte("id,name_en,name_ja,class,colour,sign,pickable,minutes\nlunch,Lunch,昼休み,pause,amber,♨,はい,60\n"),
		"seats.csv":     []byte("id,floor,x,y\n1,1F,0,0\n2,1F,1,0\n"),
		"groups.csv":    []byte("id,name\nsales,営業\nnight,夜間\n"),
		"queues.csv":    []byte("extension,name\n7000,代表\n"),
	}
}

func TestTablesOfASpreadsheetAreRead(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, data := range tablesOf(t) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "floor.ZIP")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file} {
		s, raw, err := ReadSetup(path)
		if err != nil {
			t.Fatal(err)
		}
		a := s.Accounts[0]
		if a.Name != "青木 美咲" || a.Password.Reveal() != " pass word 1 " || len(a.Terminals) != 2 {
			t.Errorf("account %+v", a)
		}
		if !slices.Equal(a.Groups, []string{"sales", "night"}) || a.Mail != "aoki@example.jp" || !a.Off || len(s.Groups) != 2 || s.Groups[0].Name != "営業" {
			t.Errorf("account %+v, groups %+v", a, s.Groups)
		}
		if len(s.Terminals) != 2 || len(s.Floors) != 1 || len(s.Seats) != 2 || s.Seats[1].X != 1 || s.Queues[0].Name != "代表" {
			t.Errorf("setup %+v", s)
		}
		if d := s.Statuses[0]; d.Name.In("ja") != "昼休み" || !d.Pickable || d.Minutes != 60 {
			t.Errorf("status %+v", d)
		}
		if !bytes.Contains(raw, []byte(" pass word 1 ")) {
			t.Error("what is sent to a running center lost the password")
		}
	}
}

func FuzzASetupIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"accounts":[{"account":"a"}]}`))
	f.Add([]byte("{\n\"seats\":[{\"x\":1e99}]}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := ParseSetup(raw); err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Fatalf("an error without a place: %v", err)
		}
		for _, table := range tables() {
			table.read(raw)
		}
	})
}

func TestACertificateNamedByAnImportIsTakenIn(t *testing.T) {
	dir := t.TempDir()
	ca, err := openAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "pbx.pem"), []byte(ca.public()), 0o600)
	file := filepath.Join(dir, "site.json")
	os.WriteFile(file, []byte(`{"site": {"sip": {"server": "pbx", "transport": "tls", "ca": "pbx.pem"}, "mail": {"server": "127.0.0.1:25", "from": "a@b.example", "secret": "of mail"}}, "floors": [{"id": "1", "name": "1F"}]}`), 0o600)
	s, raw, err := ReadSetup(file)
	if err != nil || s.Site.SIP.CA != ca.public() || strings.Contains(ca.public(), "PRIVATE") {
		t.Fatalf("%+v, %v", s.Site, err)
	}
	again, err := ParseSetup(raw) // as a running center gets it
	if err != nil || again.Site.SIP.CA != ca.public() || again.Site.SIP.Expires != 120 || len(again.Floors) != 1 || again.Site.Mail.Secret.Reveal() != "of mail" {
		t.Fatalf("%s, %v", raw, err)
	}
	os.WriteFile(file, []byte(`{"site": {"sip": {"ca": "nowhere.pem"}}}`), 0o600)
	if _, _, err := ReadSetup(file); err == nil || !strings.Contains(err.Error(), "site.sip.ca") {
		t.Fatal(err)
	}
}

func TestACertificateFollowsItsNames(t *testing.T) {
	ca, err := openAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"center.test", "192.0.2.1"}
	l := &leaf{ca: ca, names: func() []string { return names }}
	now := time.Now()
	first, err := l.get(now)
	if err != nil || first.Leaf.VerifyHostname("center.test") != nil || first.Leaf.VerifyHostname("192.0.2.1") != nil {
		t.Fatalf("%v, %v", first, err)
	}
	if same, _ := l.get(now); same != first {
		t.Fatal("a new certificate for nothing")
	}
	names = []string{"moved.test"}
	if moved, err := l.get(now); err != nil || moved.Leaf.VerifyHostname("moved.test") != nil || moved.Leaf.VerifyHostname("center.test") == nil {
		t.Fatalf("after an import: %v", err)
	}
	if late, err := l.get(now.Add(leafLife - leafRenew + time.Hour)); err != nil || !late.Leaf.NotAfter.After(now.Add(leafLife)) {
		t.Fatalf("near its end: %v", err)
	}
}

func TestTLSIsPinnedByTheAuthority(t *testing.T) {
	dir := t.TempDir()
	ca, err := openAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openAuthority(dir)
	if err != nil || again.pin() != ca.pin() {
		t.Fatalf("the authority changed: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, caFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode of the key: %v %v", info, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serverOf(http.NotFoundHandler())
	server.TLSConfig = ca.config(tls.VersionTLS13, func() []string { return []string{"127.0.0.1", "center.test"} })
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { server.Close(); <-done })
	dial := func(pin string) error {
		// What a phone does: the join link's pin, not the system's roots, says whom to believe.
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
			for _, cert := range s.PeerCertificates {
				if sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo); cert.IsCA && base64.RawURLEncoding.EncodeToString(sum[:]) == pin {
					roots := x509.NewCertPool()
					roots.AddCert(cert)
					_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1"})
					return err
				}
			}
			return errors.New("not the center of the join link")
		}})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dial(ca.pin()); err != nil {
		t.Fatalf("right pin: %v", err)
	}
	if err := dial("x"); err == nil {
		t.Fatal("a wrong pin was taken")
	}
	if _, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "127.0.0.1"}); err == nil {
		t.Fatal("the system's roots know our authority")
	}
}

func TestNamesOfAnAddress(t *testing.T) {
	if got := names(netip.MustParseAddrPort("[::1]:1")); len(got) != 2 || got[0] != "::1" {
		t.Errorf("loopback: %v", got)
	}
	if got := names(netip.MustParseAddrPort("0.0.0.0:1")); len(got) < 2 {
		t.Errorf("every address: %v", got)
	}
	if got := outward([]string{"localhost", "box", "127.0.0.1", "fe80::1", "192.0.2.7"}); got != "192.0.2.7" {
		t.Errorf("outward name %q", got)
	}
	if got := outward([]string{"localhost", "box", "127.0.0.1"}); got != "box" {
		t.Errorf("outward name %q", got)
	}
	if !allowed([]string{"::1", "Box"}, "80")["[::1]:80"] || !allowed([]string{"Box"}, "80")["box:80"] {
		t.Error("a name of ours is not allowed")
	}
}
