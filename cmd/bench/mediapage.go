package main

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
)

// withPage is a row that needs the whole product: a center, a phone and its page in a real browser, whose microphone hears a tone.
func (m *mediaBench) withPage(measured func(*floor) (row, error)) func() (row, error) {
	return func() (row, error) {
		if m.floor == nil {
			if err := m.openFloor(); err != nil {
				return row{}, err
			}
		}
		r, err := measured(m.floor)
		if err != nil {
			err = fmt.Errorf("%w\nthe page:\n%s\nthe phone:\n%s", err, m.floor.page.Said(), m.floor.phone.Log())
		}
		return r, err
	}
}

func (m *mediaBench) openFloor() error {
	if err := stage.Build(m.ctx, ".", m.dir, "center", "softphone"); err != nil {
		return err
	}
	file, err := stage.Floor(m.dir, nil)
	if err != nil {
		return err
	}
	mic := filepath.Join(m.dir, "tone.wav")
	if err := hear.WriteWAV(mic, toneFor(toneTime), 48000); err != nil {
		return err
	}
	center, err := stage.StartCenter(m.ctx, filepath.Join(m.dir, "center"), m.dir, file)
	if err != nil {
		return err
	}
	m.ends = append(m.ends, func() { center.Stop() })
	f := &floor{ctx: m.ctx, mic: mic}
	end, err := f.open(m.dir, center)
	m.ends = append(m.ends, end)
	if err != nil {
		return err
	}
	m.floor = f
	// A browser takes a tone for noise, and would take it away.
	_, err = stage.Eval[string](f.page, `localStorage.setItem("zaseki.audio", "raw"); ""`)
	return err
}

// close ends what the rows have left running.
func (m *mediaBench) close() {
	for i := len(m.ends) - 1; i >= 0; i-- {
		m.ends[i]()
	}
}

// toneTime is longer than a browser needs it: it pauses where a file begins again.
const toneTime = 2 * time.Minute

// toneFor is 440 Hz at 48 kHz.
func toneFor(d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*48000))
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(2*math.Pi*440*float64(i)/48000))
	}
	return pcm
}

// answerToRTP is what the group phone measures, held against what is promised of the sound.
func answerToRTP(f *floor) (row, error) {
	r, err := f.answerToRTP()
	r.Name, r.Limit = "media.answer_to_rtp", 15
	return r, err
}

// reloadGap: the page of a call is loaded anew: how long the caller does not hear the agent; silence does not count as hearing. The
// base is the longest pause between two packets of as long a stretch before.
func reloadGap(f *floor) (row, error) {
	line, _, _, err := f.call()
	if err != nil {
		return row{}, err
	}
	if _, err := stage.Eval[float64](f.page, `bench.press("Answer")`); err != nil {
		return row{}, err
	}
	<-f.customer.Talks
	heard := &stage.Gap{}
	f.customer.Sound.Listen(line, heard.Hear)
	var gaps, bases []float64
	for i := range rounds + 1 {
		if err := hears(f, heard); err != nil {
			return row{}, err
		}
		heard.Longest()
		if err := nap(f.ctx, time.Second); err != nil {
			return row{}, err
		}
		base, _ := heard.Longest()
		if err := f.page.Reload(); err != nil {
			return row{}, err
		}
		if err := hears(f, heard); err != nil {
			return row{}, err
		}
		if gap, _ := heard.Longest(); i > 0 { // the first microphone of a browser takes longer
			gaps, bases = append(gaps, ms(gap)), append(bases, ms(base))
		}
	}
	if _, err := stage.Eval[string](f.page, probe); err != nil {
		return row{}, err
	}
	return newRow("media.reload_gap", "ms", 300, gaps, "the longest pause in a second without a reload", bases), f.over()
}

// hears waits until the agent is heard for half a second without a pause.
func hears(f *floor, heard *stage.Gap) error {
	const enough = 500 * time.Millisecond
	begun := time.Now()
	for end := begun.Add(15 * time.Second); time.Now().Before(end); {
		if err := nap(f.ctx, 20*time.Millisecond); err != nil {
			return err
		}
		if heard.Since() > 100*time.Millisecond {
			begun = time.Now()
		}
		if time.Since(begun) > enough {
			return nil
		}
	}
	return fmt.Errorf("the agent is not heard")
}
