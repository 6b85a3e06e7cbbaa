package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"zaseki/web/wire"
)

// logKept is how much of its own log a phone keeps for the support file, in bytes.
const logKept = 256 << 10

// logTail passes a log on and keeps its end.
type logTail struct {
	to io.Writer

	mu   sync.Mutex
	kept []byte
}

func (t *logTail) Write(line []byte) (int, error) {
	t.mu.Lock()
	t.kept = append(t.kept, line...)
	if over := len(t.kept) - logKept; over > logKept/4 { // not with every line
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	t.mu.Unlock()
	return t.to.Write(line)
}

func (t *logTail) end() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.kept...)
}

// why is what the panel asks when somebody wants to know why.
type why struct {
	*phone
	kept *settings
	log  *logTail
}

const supportNote = `Support file of Zaseki %s, %s/%s, %s, made %s.

log.txt        the end of the phone's log
state.json     what the phone showed
settings.json  its settings
metrics.txt    its counters
calls/         what happened in each of the last calls, SIP messages with passwords and keys masked

Of callers' and called numbers only the last three digits are in it. Phonebooks, the names in them and what was written about calls are
left out. Names that came with a call from the network may be there.
`

// Support writes the archive. No secret is in it: passwords never reach these files, and keys are masked where messages are
// kept.
func (w why) Support(ctx context.Context, to io.Writer) error {
	files, err := w.files(ctx)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(to)
	for _, f := range files {
		out, err := archive.Create(f.name)
		if err == nil {
			_, err = io.WriteString(out, f.text)
		}
		if err != nil {
			return errors.Join(err, archive.Close())
		}
	}
	return archive.Close()
}

type supportFile struct{ name, text string }

// files are the support file's, without numbers: whatever one of them shows to be a number is masked in all.
func (w why) files(ctx context.Context) ([]supportFile, error) {
	var numbers unnumbered
	numbers.book(w.Phonebook().Contacts)
	news, stop := w.agent.Watch()
	snap := numbers.shared(<-news)
	stop()
	var metrics bytes.Buffer
	w.count(&metrics)
	state, err := json.MarshalIndent(snap, "", " ")
	if err != nil {
		return nil, err
	}
	settings, err := json.MarshalIndent(w.kept.get(), "", " ")
	if err != nil {
		return nil, err
	}
	files := []supportFile{{"log.txt", string(w.log.end())}, {"state.json", string(state)}, {"settings.json", string(settings)}, {"metrics.txt", metrics.String()}}
	for _, call := range w.journal.names() {
		files = append(files, supportFile{"calls/" + call + ".txt", asText(w.own(call))})
	}
	for _, f := range files {
		numbers.knowAll(f.text)
	}
	for i := range files {
		files[i].name, files[i].text = numbers.mask(files[i].name), numbers.mask(files[i].text)
	}
	about := fmt.Sprintf(supportNote, wire.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().Format(time.RFC3339))
	return append([]supportFile{{"about.txt", about}}, files...), ctx.Err()
}

// asText is a timeline as text.
func asText(t wire.Timeline) string {
	var out []byte
	for _, l := range t.Lines {
		arrow := "  "
		if l.Kind == "sip" {
			arrow = onOff(l.Sent, "->", "<-")
		}
		out = fmt.Appendf(out, "%s %-5s %s %s %s %s\n", l.At.Format("15:04:05.000000"), l.Kind, arrow, l.Title, l.Network, l.Peer)
		if l.Text != "" {
			out = append(append(out, l.Text...), "\n\n"...)
		}
	}
	return string(out)
}
