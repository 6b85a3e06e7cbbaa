package media_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"zaseki/media"
)

// webPage is a browser at the far end of a line: no page of ours, but somebody's WebRTC.
const webPage = `<!doctype html><meta charset=utf-8><title>far</title><script>
let pc;
async function make() {
  pc = new RTCPeerConnection();
  const audio = document.body.appendChild(document.createElement("audio"));
  pc.ontrack = (e) => { audio.srcObject = e.streams[0] ?? new MediaStream([e.track]); audio.play(); };
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  for (const t of (await navigator.mediaDevices.getUserMedia({ audio: plain })).getTracks()) pc.addTrack(t);
}
async function say(description) {
  await pc.setLocalDescription(description);
  for (const end = Date.now() + 5000; pc.iceGatheringState !== "complete" && Date.now() < end;) await new Promise((r) => setTimeout(r, 5));
  return pc.localDescription.sdp;
}
globalThis.offer = async () => { await make(); return say(await pc.createOffer()); };
globalThis.restart = async () => say(await pc.createOffer({ iceRestart: true }));
globalThis.answer = async (sdp) => {
  if (!pc) await make();
  await pc.setRemoteDescription({ type: "offer", sdp });
  return say(await pc.createAnswer());
};
globalThis.accept = (sdp) => pc.setRemoteDescription({ type: "answer", sdp }).then(() => "");
</script>`

// TestBrowserIsTheFarEnd: a real Chromium calls our line and is called by it, and each side restarts ICE.
func TestBrowserIsTheFarEnd(t *testing.T) {
	theirs, mic := speech(t, "en+f3", customerText)
	ours, _ := speech(t, "en", agentText)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, webPage)
	}))
	defer server.Close()
	dtls := media.Security{Policy: media.PolicyDTLS}
	for _, weCall := range []bool{true, false} {
		t.Run(fmt.Sprint("we call ", weCall), func(t *testing.T) {
			near, _ := engine(t, media.Config{Codecs: []string{"PCMU"}})
			tab := chrome(t, mic)
			open(t, tab, server.URL)
			ask := func(verb string, sdp ...string) string {
				t.Helper()
				b, _ := json.Marshal(strings.Join(sdp, ""))
				return eval[string](t, tab, fmt.Sprintf("%s(%s)", verb, b))
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			if weCall {
				offer, err := near.OpenLine("call", loopback, dtls)
				must(err)
				must(near.SetAnswer("call", ask("answer", offer)))
			} else {
				answer, err := near.AnswerLine("call", loopback, ask("offer"), dtls)
				must(err)
				ask("accept", answer)
			}
			heard := &ear{}
			near.Listen("call", heard.hear)
			near.Play("call", &voice{pcm: ours})
			until(t, "encrypted", 10*time.Second, func() bool { return near.Stats("call").Secure != "" })
			t.Logf("encrypted by %s after %v", near.Stats("call").Secure, time.Since(began))
			same(t, "we hear the browser", theirs, alike, heard.during)
			same(t, "the browser hears us", ours, alike, inPage(t, tab))

			move, err := near.MoveOffer("call", netip.MustParseAddr("127.0.0.3"))
			must(err)
			must(near.SetAnswer("call", ask("answer", move)))
			pass(3 * time.Second) // the ports before are closed by then
			same(t, "we hear the browser after our restart", theirs, alike, heard.during)
			same(t, "the browser hears us after our restart", ours, alike, inPage(t, tab))

			answer, err := near.Reanswer("call", ask("restart"))
			must(err)
			ask("accept", answer)
			pass(3 * time.Second)
			same(t, "we hear the browser after its restart", theirs, alike, heard.during)
			same(t, "the browser hears us after its restart", ours, alike, inPage(t, tab))
			if st := near.Stats("call"); st.Bad != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}
