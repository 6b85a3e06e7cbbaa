package tray

import (
	"testing"

	"zaseki/web/wire"
)

func TestTheLanguageIsTheChosenOneElseTheSystems(t *testing.T) {
	for chosen, want := range map[any]string{nil: "ja", "system": "ja", "en": "en", "ja": "ja", "fr": "ja", 5: "ja"} {
		s := wire.Snapshot{}
		if chosen != nil {
			s.Settings = wire.Values{wire.SetLang: chosen}
		}
		if got := (Config{Lang: "ja"}).lang(s); got != want {
			t.Errorf("%v: %s", chosen, got)
		}
	}
}
