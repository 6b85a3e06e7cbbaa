package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"zaseki/static"
)

func TestFilesAreSentPackedToWhoTakesThat(t *testing.T) {
	files, err := static.Files()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t)
	plain, sent := 0, 0
	for path, f := range load(files) {
		if f.packed == nil || path == indexFile {
			continue
		}
		whole := r.do(t, "GET", "/"+path, "", map[string]string{"Accept-Encoding": "identity"}, false)
		packed := r.do(t, "GET", "/"+path, "", map[string]string{"Accept-Encoding": "deflate, GZIP;q=0.5"}, false)
		if whole.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%s: %v, %v", path, whole.Header, packed.Header)
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got, err := io.ReadAll(z)
		if err != nil || string(got) != string(f.data) {
			t.Fatalf("%s: %d bytes, not %d: %v", path, len(got), len(f.data), err)
		}
		tag := packed.Header.Get("ETag")
		if tag == whole.Header.Get("ETag") {
			t.Errorf("%s: one tag for two representations", path)
		}
		again := r.do(t, "GET", "/"+path, "", map[string]string{"Accept-Encoding": "gzip", "If-None-Match": tag}, false)
		if again.StatusCode != http.StatusNotModified || again.Header.Get("ETag") != tag {
			t.Errorf("%s again: %d %v", path, again.StatusCode, again.Header)
		}
		plain, sent = plain+len(f.data), sent+len(f.packed())
	}
	t.Logf("%d bytes are sent as %d", plain, sent)
	if sent == 0 || sent > plain/2 {
		t.Errorf("%d bytes are sent as %d", plain, sent)
	}
}

func TestWhoTakesGzip(t *testing.T) {
	for accept, takes := range map[string]bool{"": false, "gzip": true, "br, gzip;q=1.0, *;q=0": true, "gzip;q=0": false, "gzip; q=0.000": false, "deflate": false, "x-gzip-not": false, "gzip;q=0.001": true} {
		if takesGzip(accept) != takes {
			t.Errorf("%q: %v", accept, !takes)
		}
	}
}
