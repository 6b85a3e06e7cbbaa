package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"zaseki/media"
	"zaseki/media/load"
)

// The arguments with which this program carries calls, in a process of its own: as a bare relay, or with our engine.
const (
	relaying = "relaying-side"
	carrying = "carrying-side"
)

// asked is a word to such a process, a line of JSON: a call to be carried between two ports, or between a page and a port; or,
// without any, how much was allocated.
type asked struct {
	Left, Right uint16
	Offer       string
}

type told struct {
	Left, Right uint16 // where to send to
	Answer      string
	Mallocs     uint64 // since the process began
	Err         string
}

// serveWords answers words from standard input until it is closed.
func serveWords(answer func(asked) (told, error)) error {
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var a asked
		if err := in.Decode(&a); err != nil {
			return nil
		}
		if a == (asked{}) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if err := out.Encode(told{Mallocs: m.Mallocs}); err != nil {
				return err
			}
			continue
		}
		t, err := answer(a)
		if err != nil {
			t.Err = err.Error()
		}
		if err := out.Encode(t); err != nil {
			return err
		}
	}
}

// relayCalls copies datagrams between two ports of 127.0.0.1, both ways, and does nothing else.
func relayCalls(_ context.Context, _ []string) error {
	here := netip.MustParseAddr("127.0.0.1")
	return serveWords(func(a asked) (t told, err error) {
		var socks [2]*net.UDPConn
		for i := range socks {
			if socks[i], err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
				return t, err
			}
		}
		ports := [2]uint16{a.Left, a.Right}
		for i := range socks {
			go func() { // until the process ends
				buf := make([]byte, 2048)
				to := netip.AddrPortFrom(here, ports[1-i])
				for {
					if n, _, err := socks[i].ReadFromUDPAddrPort(buf); err == nil {
						_, _ = socks[1-i].WriteToUDPAddrPort(buf[:n], to)
					}
				}
			}()
		}
		port := func(c *net.UDPConn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }
		return told{Left: port(socks[0]), Right: port(socks[1])}, nil
	})
}

// carryCalls has an engine for each call, as a phone has, with a page on its left and a line on its right. They are in one process,
// and so have their ports in one place.
func carryCalls(ctx context.Context, _ []string) error {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	ports := media.NewPorts()
	return serveWords(func(a asked) (told, error) {
		e, err := media.New(media.Config{Codecs: []string{"PCMU"}, Ports: ports})
		if err != nil {
			return told{}, err
		}
		work.Go(func() { _ = e.Run(ctx) })
		answer, err := e.Offer(ctx, "page", a.Offer, false)
		if err != nil {
			return told{}, err
		}
		sdp, err := e.AnswerLine("call", netip.MustParseAddr("127.0.0.1"), plainSDP(a.Right), media.Security{})
		if err != nil {
			return told{}, err
		}
		e.Focus("call")
		return told{Right: portOf(sdp), Answer: answer}, nil
	})
}

// plainSDP is an offer of G.711 with keys at that port of 127.0.0.1.
func plainSDP(port uint16) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n", port)
}

// portOf is where such a description wants its sound.
func portOf(sdp string) (port uint16) {
	for line := range strings.Lines(sdp) {
		if n, _ := fmt.Sscanf(line, "m=audio %d", &port); n == 1 {
			return port
		}
	}
	return 0
}

// carrier carries calls between a left and a right side.
type carrier interface {
	carry(ctx context.Context) (*call, error)
	pid() int
	stop()
}

// words is a carrier of ours in a process of its own.
type words struct {
	cmd  *exec.Cmd
	in   *json.Encoder
	out  *json.Decoder
	page bool // its left is a page
	says speech
	end  func()
}

func startWords(ctx context.Context, side string, says speech) (*words, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &words{cmd: exec.CommandContext(ctx, self, side), page: side == carrying, says: says}
	w.cmd.Stderr = os.Stderr
	stdin, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.in, w.out = json.NewEncoder(stdin), json.NewDecoder(stdout)
	w.end = func() { _ = stdin.Close(); _ = w.cmd.Wait() }
	return w, w.cmd.Start()
}

func (w *words) pid() int { return w.cmd.Process.Pid }
func (w *words) stop()    { w.end() }

func (w *words) ask(a asked) (t told, err error) {
	if err := w.in.Encode(a); err != nil {
		return t, err
	}
	if err := w.out.Decode(&t); err != nil {
		return t, err
	}
	if t.Err != "" {
		return t, fmt.Errorf("the carrier says: %s", t.Err)
	}
	return t, nil
}

// carry opens one more call.
func (w *words) carry(ctx context.Context) (*call, error) {
	c := &call{up: newFlight(), down: newFlight()}
	right, err := newPlainEnd(w.says)
	if err != nil {
		return nil, err
	}
	c.right = right
	if w.page {
		return c, w.toPage(ctx, c, right)
	}
	left, err := newPlainEnd(w.says)
	if err != nil {
		return nil, err
	}
	c.left = left
	t, err := w.ask(asked{Left: left.port(), Right: right.port()})
	if err != nil {
		return nil, err
	}
	left.begin(t.Left, c.up, c.down)
	right.begin(t.Right, c.down, c.up)
	return c, nil
}

func (w *words) toPage(ctx context.Context, c *call, right *plainEnd) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	watch := load.Watch{Sent: c.up.sent, Came: func(_ uint16, payload []byte, at time.Time) {
		if seq, ok := spoken(payload); ok {
			c.down.came(seq, at)
		}
	}}
	var port uint16
	page, err := load.Open(ctx, watch, func(offer string) (string, error) {
		t, err := w.ask(asked{Right: right.port(), Offer: offer})
		port = t.Right
		return t.Answer, err
	})
	if err != nil {
		return err
	}
	c.left = &pageEnd{page: page, says: w.says, place: right.port()}
	right.begin(port, c.down, c.up)
	return nil
}

// pageEnd is a side that is a page.
type pageEnd struct {
	page  *load.Page
	says  speech
	place uint16
	buf   [160]byte
}

func (p *pageEnd) say(seq uint16) error {
	p.says.word(p.buf[:], seq, p.place)
	return p.page.Send(seq, p.buf[:])
}

func (p *pageEnd) close() { p.page.Close() }
