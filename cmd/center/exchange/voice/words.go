package voice

import (
	"embed"
	"strconv"

	"zaseki/media"
)

// Made by make.sh there.
//
//go:embed speech/*.ulaw
var speech embed.FS

// words are the spoken phrases, by language and name.
type words map[string][]int16

func loadWords() words {
	w := words{}
	all, _ := speech.ReadDir("speech") // it is part of the program
	for _, f := range all {
		if data, err := speech.ReadFile("speech/" + f.Name()); err == nil {
			w[f.Name()[:len(f.Name())-len(".ulaw")]] = media.DecodeULaw(data)
		}
	}
	return w
}

const (
	rate     = 8000
	spoken   = 10 // places that have a word of their own
	pauseFor = rate / 8
)

// place is the sentence about a place; the language that is not known is Japanese.
func (w words) place(n int, language string) []int16 {
	number := strconv.Itoa(n)
	if n > spoken {
		number = "more"
	}
	return w.sentence(language, "place", number)
}

func (w words) sentence(language string, parts ...string) (pcm []int16) {
	if language != "en" {
		language = "ja"
	}
	pcm = append(pcm, make([]int16, pauseFor)...)
	for _, p := range parts {
		pcm = append(pcm, w[language+"-"+p]...)
	}
	return append(pcm, make([]int16, 2*pauseFor)...)
}
