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

Numbers of callers are in the calls: treat the file as you treat a call list.
`

// Support writes the archive. No secret is in it: passwords never reach these files, and keys are masked where messages are
// kept.
func (w why) Support(ctx context.Context, to io.Writer) error {
	archive := zip.NewWriter(to)
	add := func(name string, data []byte) error {
		f, err := archive.Create(name)
		if err == nil {
			_, err = f.Write(data)
		}
		return err
	}
	news, stop := w.agent.Watch()
	snap := <-news
	stop()
	var metrics bytes.Buffer
	w.count(&metrics)
	state, err := json.MarshalIndent(snap, "", " ")
	if err != nil {
		return err
	}
	settings, err := json.MarshalIndent(w.kept.get(), "", " ")
	if err != nil {
		return err
	}
	about := fmt.Sprintf(supportNote, wire.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().Format(time.RFC3339))
	err = errors.Join(add("about.txt", []byte(about)), add("log.txt", w.log.end()), add("state.json", state),
		add("settings.json", settings), add("metrics.txt", metrics.Bytes()))
	for _, call := range w.journal.names() {
		line, _ := w.Timeline(call)
		err = errors.Join(err, add("calls/"+call+".txt", []byte(written(line))), ctx.Err())
	}
	return errors.Join(err, archive.Close())
}

// written is a timeline as text.
func written(t wire.Timeline) string {
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
