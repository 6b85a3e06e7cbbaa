package pbx

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	dialTime  = 5 * time.Second
	replyTime = 5 * time.Second
	pingEvery = 15 * time.Second
	lineMost  = 16 << 10 // bytes of one line
	partsMost = 1000     // lines of one message
	heardMost = 100000   // events of one list
)

// message is what Asterisk's manager says: names in lower case, the first value of each.
type message map[string]string

// errUnclean: a value would begin a line of its own.
var errUnclean = errors.New("a value holds a line break")

// ami is a connection to Asterisk's manager interface: lines "Name: value", an empty line ends a message. Answers are found by
// their ActionID; what has none of ours is an event.
type ami struct {
	conn  net.Conn
	event func(message)
	done  chan struct{}

	writing sync.Mutex
	mu      sync.Mutex
	next    int
	waiting map[string]*wanted
	err     error
}

// wanted is an action that waits: for its answer, or for the list up to the event of that name.
type wanted struct {
	until string
	list  []message
	done  chan error
	first message
}

// dialAMI connects and signs in; run must follow. tls:// in front of the address asks for TLS, and a certificate that
// ca has signed, or an authority of the system when that is empty.
func dialAMI(ctx context.Context, addr, ca string, event func(message)) (*ami, error) {
	addr, secure := strings.CutPrefix(addr, "tls://")
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	if secure {
		cfg, err := believing(ca)
		if err != nil {
			return nil, err
		}
		dial = (&tls.Dialer{Config: cfg}).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &ami{conn: conn, event: event, done: make(chan struct{}), waiting: map[string]*wanted{}}, nil
}

// believing is for certificates that those authorities have signed.
func believing(ca string) (*tls.Config, error) {
	if ca == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("the CA of this exchange holds no certificate in PEM")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// run reads until the connection ends.
func (a *ami) run() {
	defer close(a.done)
	r := bufio.NewReaderSize(a.conn, lineMost)
	banner, err := readLine(r)
	if err == nil && !strings.Contains(banner, "Call Manager") {
		err = fmt.Errorf("no Asterisk: %q", banner[:min(len(banner), 40)])
	}
	for err == nil {
		var m message
		if m, err = readMessage(r); err == nil && len(m) > 0 {
			a.hear(m)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
	a.conn.Close()
	for id, w := range a.waiting {
		w.done <- err
		delete(a.waiting, id)
	}
}

func (a *ami) close() {
	a.conn.Close()
	<-a.done
}

// ended is why the connection is no more.
func (a *ami) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *ami) hear(m message) {
	a.mu.Lock()
	w := a.waiting[m["actionid"]]
	if w == nil {
		a.mu.Unlock()
		if m["event"] != "" {
			a.event(m)
		}
		return
	}
	defer a.mu.Unlock()
	over := false
	switch {
	case w.first == nil:
		w.first = m
		over = w.until == "" || m["response"] == "Error"
	case m["event"] == w.until || len(w.list) >= heardMost:
		over = true
	default:
		w.list = append(w.list, m)
	}
	if over {
		delete(a.waiting, m["actionid"])
		w.done <- nil
	}
}

// do carries out an action and waits for its answer, until the list has ended with that event when one is named.
func (a *ami) do(ctx context.Context, until, action string, pairs ...string) (list []message, err error) {
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	w := &wanted{until: until, done: make(chan error, 1)}
	a.mu.Lock()
	a.next++
	id := "zaseki-" + strconv.Itoa(a.next)
	if a.err != nil {
		a.mu.Unlock()
		return nil, a.ended()
	}
	a.waiting[id] = w
	a.mu.Unlock()
	text, err := encode(append([]string{"Action", action, "ActionID", id}, pairs...))
	if err == nil {
		a.writing.Lock()
		_ = a.conn.SetWriteDeadline(time.Now().Add(replyTime))
		_, err = a.conn.Write(text)
		a.writing.Unlock()
	}
	if err == nil {
		select {
		case err = <-w.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		a.mu.Lock()
		delete(a.waiting, id)
		a.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	if w.first["response"] == "Error" {
		return nil, fmt.Errorf("%s: %w", action, &refusedAction{w.first["message"]})
	}
	return w.list, nil
}

// refusedAction is Asterisk's no.
type refusedAction struct{ message string }

func (r *refusedAction) Error() string { return "Asterisk: " + r.message }

// encode writes name and value pairs; none of them can begin another line.
func encode(pairs []string) ([]byte, error) {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.ContainsAny(pairs[i]+pairs[i+1], "\r\n\x00") {
			return nil, errUnclean
		}
		b.WriteString(pairs[i] + ": " + pairs[i+1] + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String()), nil
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}

// readMessage reads up to the empty line.
func readMessage(r *bufio.Reader) (message, error) {
	m := message{}
	for range partsMost {
		line, err := readLine(r)
		if err != nil || line == "" {
			return m, err
		}
		name, value, _ := strings.Cut(line, ":")
		if name = strings.ToLower(strings.TrimSpace(name)); m[name] == "" {
			m[name] = strings.TrimSpace(value)
		}
	}
	return m, errors.New("a message of Asterisk does not end")
}
