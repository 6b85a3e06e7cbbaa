// Package ng runs a real rtpengine for tests and measurements and speaks its control protocol: bencoded dictionaries over
// UDP, each with a cookie before it by which the answer is known.
package ng

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Options are the words of the protocol beside the session description, such as "ICE": "force", "DTLS": "passive",
// "transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": []string{"require"}, "flags": []string{"trust-address"}.
type Options map[string]any

// Server is a running rtpengine.
type Server struct {
	cmd     *exec.Cmd
	own     net.Listener // as long as it is there, nobody else gets these ports
	conn    net.Conn
	cookies atomic.Uint64
}

const (
	startTime = 20 * time.Second // a busy machine's
	askTime   = 2 * time.Second
	askAgain  = 250 * time.Millisecond // the protocol is UDP: the same cookie asks for the same answer
)

// Start runs the rtpengine of the system with its media on that address, relaying in user space, and waits until it answers.
// Log takes what it says; more are further arguments.
func Start(ctx context.Context, ip string, log io.Writer, more ...string) (*Server, error) {
	control, err := free(ip)
	if err != nil {
		return nil, fmt.Errorf("start rtpengine: %w", err)
	}
	own, low, err := claim()
	if err != nil {
		return nil, fmt.Errorf("start rtpengine: %w", err)
	}
	// Its command line, its web server and its ports are by default one and the same for all; and it shares a port with who has it.
	args := append([]string{"--config-file=none", "--foreground", "--log-stderr", "--table=-1", "--interface=" + ip, "--listen-ng=" + control,
		"--listen-cli=" + control, fmt.Sprint("--port-min=", low), fmt.Sprint("--port-max=", low+portBlock-1)}, more...)
	cmd := exec.Command("rtpengine", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		_ = own.Close()
		return nil, fmt.Errorf("start rtpengine: %w", err)
	}
	s := &Server{cmd: cmd, own: own}
	if s.conn, err = net.Dial("udp", control); err != nil {
		s.Close()
		return nil, fmt.Errorf("start rtpengine: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if _, err = s.ask(ctx, Options{"command": "ping"}); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			s.Close()
			return nil, fmt.Errorf("start rtpengine: %w", err)
		}
	}
}

// free is an address which nobody has at the moment.
func free(ip string) (string, error) {
	l, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.LocalAddr().String(), nil
}

// Ports for sound are given out by blocks, below those that the system gives out by itself.
const (
	portFrom  = 30000
	portBlock = 100
	portUntil = 32700
)

// claim finds a block of ports that no other rtpengine of ours has. A claim is a TCP port of the block's first number.
func claim() (own net.Listener, low int, err error) {
	for low = portFrom; low+portBlock <= portUntil; low += portBlock {
		if own, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", low)); err == nil {
			return own, low, nil
		}
	}
	return nil, 0, fmt.Errorf("no block of ports is free: %w", err)
}

// Control is the address of its control protocol, for a proxy that asks it.
func (s *Server) Control() string { return s.conn.RemoteAddr().String() }

// Pid is its process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Close kills it.
func (s *Server) Close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.own.Close()
}

// Offer gives it the offer of the side with the tag from, and returns the offer for the other side.
func (s *Server) Offer(ctx context.Context, call, from, sdp string, o Options) (string, error) {
	return s.describe(ctx, Options{"command": "offer", "call-id": call, "from-tag": from, "sdp": sdp}, o)
}

// Answer gives it the other side's answer, and returns the answer for the side that offered.
func (s *Server) Answer(ctx context.Context, call, from, to, sdp string, o Options) (string, error) {
	return s.describe(ctx, Options{"command": "answer", "call-id": call, "from-tag": from, "to-tag": to, "sdp": sdp}, o)
}

// Delete ends a call.
func (s *Server) Delete(ctx context.Context, call, from string) error {
	_, err := s.ask(ctx, Options{"command": "delete", "call-id": call, "from-tag": from, "delete-delay": 0})
	return err
}

func (s *Server) describe(ctx context.Context, question, o Options) (string, error) {
	for key, value := range o {
		question[key] = value
	}
	answer, err := s.ask(ctx, question)
	if err != nil {
		return "", err
	}
	sdp, ok := answer["sdp"].(string)
	if !ok {
		return "", errors.New("rtpengine: no session description")
	}
	return sdp, nil
}

// ask sends a command until it is answered. One goroutine at a time.
func (s *Server) ask(ctx context.Context, question Options) (map[string]any, error) {
	cookie := fmt.Sprintf("c%d ", s.cookies.Add(1))
	out, err := encode([]byte(cookie), question)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(askTime); ; {
		if ctx.Err() != nil || time.Now().After(end) {
			return nil, fmt.Errorf("rtpengine %s: no answer", question["command"])
		}
		_, _ = s.conn.Write(out) // refused while it starts: the reading says so too
		_ = s.conn.SetReadDeadline(time.Now().Add(askAgain))
		n, err := s.conn.Read(buf)
		if err != nil {
			if !errors.Is(err, syscall.ECONNREFUSED) {
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(askAgain / 10):
			}
			continue
		}
		body, ours := strings.CutPrefix(string(buf[:n]), cookie)
		if !ours {
			continue
		}
		return result(body)
	}
}

func result(body string) (map[string]any, error) {
	v, _, err := decode([]byte(body), 0)
	answer, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, fmt.Errorf("rtpengine: %w", errBencode)
	}
	if answer["result"] == "error" {
		return nil, fmt.Errorf("rtpengine: %v", answer["error-reason"])
	}
	return answer, nil
}
