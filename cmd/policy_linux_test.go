package cmd_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"zaseki/cmd/bench/stage"
)

// TestACallWhereUDPIsForbidden: a browser whose policy lets WebRTC use no UDP carries the call by ICE-TCP on this machine (RFC 6544)
// and does not fall back to the websocket.
func TestACallWhereUDPIsForbidden(t *testing.T) {
	d := newDay(t, nil)
	d.browser.Close()
	profile := filepath.Join(d.dir, "profile", "Default")
	d.must(os.RemoveAll(filepath.Dir(profile)))
	d.must(os.MkdirAll(profile, 0o700))
	d.must(os.WriteFile(filepath.Join(profile, "Preferences"), []byte(`{"webrtc":{"ip_handling_policy":"disable_non_proxied_udp"}}`), 0o600))
	d.open(context.Background(), "Thank you for calling the test center. My name is Suzuki. I will look up your order at once and tell you when the parcel arrives.")
	d.must(d.page.Before(`globalThis.pcs = []; globalThis.RTCPeerConnection = class extends RTCPeerConnection { constructor(...a) { super(...a); pcs.push(this); } };
		globalThis.WebSocket = class extends WebSocket { constructor(...a) { super(...a);
			this.addEventListener("message", (e) => { if (typeof e.data !== "string") return;
				const m = JSON.parse(e.data); if (m.type === "snapshot") globalThis.snap = m.body; }); } };`))
	d.must(d.page.Reload())
	customer := d.customer()
	d.answered("agent1", "2", customer)
	d.byTCP()
	d.talk(customer, d.page, " by TCP")
}

// byTCP checks by what the page is connected, as soon as it is.
func (d *day) byTCP() {
	d.Helper()
	said, err := stage.Eval[string](d.page, `(async () => { let all, pair;
		for (let n = 0; n < 100; n++) { // ten seconds: a busy machine connects late
			all = new Map(await pcs.at(-1).getStats());
			pair = all.get([...all.values()].find((s) => s.type === "transport")?.selectedCandidatePairId);
			if (snap.way && pair) break;
			await new Promise((next) => setTimeout(next, 100));
		}
		const us = all.get(pair?.localCandidateId), it = all.get(pair?.remoteCandidateId);
		return JSON.stringify({ way: snap.way, us: us?.protocol, it: it?.protocol, to: it?.address, connections: pcs.length, ms: Math.round(1000 * pair?.currentRoundTripTime) }); })()`)
	d.must(err)
	var got struct{ Way, Us, It, To string }
	d.must(json.Unmarshal([]byte(said), &got))
	d.Logf("connected: %s", said)
	if got.Way != "webrtc" || got.Us != "tcp" || got.It != "tcp" || got.To != "127.0.0.1" {
		d.Errorf("connected by %+v, want WebRTC by TCP to 127.0.0.1", got)
	}
}
