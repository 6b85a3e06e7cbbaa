package tray

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// toast is what Windows reads.
type toast struct {
	Launch   string   `xml:"launch,attr"`
	Scenario string   `xml:"scenario,attr"`
	Texts    []string `xml:"visual>binding>text"`
	Audio    struct {
		Silent bool `xml:"silent,attr"`
	} `xml:"audio"`
	Actions []struct {
		Content   string `xml:"content,attr"`
		Arguments string `xml:"arguments,attr"`
		Style     string `xml:"hint-buttonStyle,attr"`
		Type      string `xml:"activationType,attr"`
	} `xml:"actions>action"`
}

func TestAToastSaysWhatItIsGivenAsText(t *testing.T) {
	for _, name := range []string{"Mori", `"/><action content="x" activationType="protocol" arguments="calc:"/>`, "]]></text><!--", "&amp;<b>", "森 😀", "'$(calc)`n"} {
		n := note{title: "Incoming call", body: "From " + name, urgent: true,
			actions: []action{{actOpen, "Open"}, {actAnswer, `Ans"wer & <go>`}, {actDecline, "拒否"}}}
		text := toastXML(7, n)
		var got toast
		if err := xml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !slices.Equal(got.Texts, []string{n.title, n.body}) || len(got.Actions) != 2 || got.Scenario != "incomingCall" || !got.Audio.Silent {
			t.Fatalf("%q: %+v", name, got)
		}
		for i, a := range n.actions[1:] {
			id, key, ok := readClick(got.Actions[i].Arguments)
			if got.Actions[i].Content != a.label || got.Actions[i].Type != "foreground" || id != 7 || key != a.key || !ok {
				t.Errorf("%q: %+v", a.key, got.Actions[i])
			}
		}
		if id, key, ok := readClick(got.Launch); id != 7 || key != actOpen || !ok {
			t.Errorf("launch %q", got.Launch)
		}
		for _, r := range text {
			if r > 0xffff {
				t.Errorf("%q has a character of two units", text)
			}
		}
	}
	if got := toastXML(1, note{title: "a"}); strings.Contains(got, "scenario") {
		t.Errorf("a note that goes by itself: %s", got)
	}
}

func TestAClickThatIsNoneOfOurs(t *testing.T) {
	for _, said := range []string{"", "7", "7 ", "x answer", "-1 answer", "4294967296 answer"} {
		if id, key, ok := readClick(said); ok {
			t.Errorf("%q: %d %q", said, id, key)
		}
	}
}

func FuzzToast(f *testing.F) {
	f.Add("a", "b<c>&\x00\ufffe")
	f.Fuzz(func(t *testing.T, title, body string) {
		var got toast
		text := toastXML(1, note{title: title, body: body, actions: []action{{actNext, body}}})
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Fatalf("%q", text)
		}
		if err := xml.Unmarshal([]byte(text), &got); err != nil || len(got.Texts) != 2 || len(got.Actions) != 1 {
			t.Fatalf("%q: %v %+v", text, err, got)
		}
	})
}

func TestANoteOnMacIsNeverPartOfAScript(t *testing.T) {
	n := note{title: "-e", body: `" & (do shell script "calc") & "`}
	if got := commandOfMac(n); !slices.Equal(got, []string{"osascript", "-", n.title, n.body}) {
		t.Errorf("%q", got)
	}
}
