package roster

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

func TestTrunksAndPBXsAreChecked(t *testing.T) {
	rows := []struct{ name, wrong, setup string }{
		{"a server in another form", "trunk.server", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"server":"sip:x@y"}}]}`},
		{"registering nowhere", "trunk.server", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"register":true}}]}`},
		{"everybody", "everybody", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"accept":["0.0.0.0/0"]}}]}`},
		{"no network", "neither", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"accept":["provider.test"]}}]}`},
		{"of a desk phone", "belongs", `{"terminals":[{"extension":"1009","type":"desk","trunk":{"server":"x"}}]}`},
		{"a number to nowhere", "there is no", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"numbers":[{"number":"03","to":"7999"}]}}]}`},
		{"a number to a trunk", "there is no", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"numbers":[{"number":"03","to":"t1"}]}}]}`},
		{"websocket", "trunk.transport", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"server":"x","transport":"wss"}}]}`},
		{"two lines", "trunk.user", `{"terminals":[{"extension":"t1","type":"trunk","trunk":{"server":"x","user":"a\r\nb"}}]}`},
		{"a PBX that nobody knows", "kind", `{"pbxs":[{"id":"a","name":"A","kind":"avaya","addr":"x"}]}`},
		{"a route server for nobody", "nobody", `{"pbxs":[{"id":"a","name":"A","kind":"route"}]}`},
		{"without an address", "addr", `{"pbxs":[{"id":"a","name":"A","kind":"asterisk"}]}`},
		{"a queue in two lines", "queues", `{"pbxs":[{"id":"a","name":"A","kind":"asterisk","addr":"x:5038","queues":{"7000":"a\r\nAction: x"}}]}`},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := newCenter(t, nil, nil)
			err := c.Apply(t.Context(), parseSetup(t, r.setup), "test")
			if err == nil || !strings.Contains(err.Error(), r.wrong) {
				t.Errorf("%v does not name %s", err, r.wrong)
			}
		})
	}
}

func TestTheExchangeIsToldWhoStandsBeside(t *testing.T) {
	c := newCenter(t, nil, nil)
	err := c.Apply(t.Context(), parseSetup(t, `{"queues":[{"extension":"7001","name":"Q"}],
		"terminals":[{"extension":"t1","type":"trunk","secret":"provider-secret","trunk":{"server":"sip.provider.test:5070","user":"zaseki","register":true,
		"expires":600,"accept":["192.0.2.7","198.51.100.0/24"],"numbers":[{"number":"03-1234-5678","to":"7001"}],"caller":"0312345678"}},
		{"extension":"t2","type":"trunk","trunk":{"accept":["2001:db8::/32"]}},{"extension":"t3","type":"trunk","secret":"s"}],
		"pbxs":[{"id":"main","name":"Main","kind":"route","accept":["10.0.0.1"],"domain":"pbx.test"},{"id":"ast","name":"Asterisk","kind":"asterisk","addr":"x:5038"}]}`), "test")
	if err != nil {
		t.Fatal(err)
	}
	got := c.Outside()
	first := exchange.Provider{User: "t1", Server: "sip.provider.test:5070", Account: "zaseki", Domain: "sip.provider.test:5070", Secret: wire.Secret("provider-secret"),
		Register: true, Expires: 10 * time.Minute, Accept: networks([]string{"192.0.2.7", "198.51.100.0/24"}), Numbers: map[string]string{"0312345678": "7001"}, Caller: "0312345678"}
	if len(got.Trunks) != 2 || !reflect.DeepEqual(got.Trunks[0], first) {
		t.Errorf("trunks %+v, want first %+v", got.Trunks, first)
	}
	want := []exchange.Asker{{ID: "main", Accept: networks([]string{"10.0.0.1"}), Domain: "pbx.test"}}
	if !reflect.DeepEqual(got.Askers, want) {
		t.Errorf("askers %+v", got.Askers)
	}
}

func parseSetup(t *testing.T, text string) (s Setup) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}
