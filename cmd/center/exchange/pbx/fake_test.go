package pbx

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// manager is Asterisk's manager interface as its documentation describes it: signing in, queues with their members, events. Asterisk
// itself cannot be had as a package here.
type manager struct {
	t    *testing.T
	addr string
	l    net.Listener
	work sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	members map[string]map[string]string // "queue interface" → fields
	acts    []string                     // what was done, in order
}

func newManager(t *testing.T, addr string) *manager {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return manages(t, l)
}

// manages is one on a listener.
func manages(t *testing.T, l net.Listener) *manager {
	m := &manager{t: t, l: l, addr: l.Addr().String(), conns: map[net.Conn]bool{}, members: map[string]map[string]string{}}
	m.work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns[conn] = true
			m.mu.Unlock()
			m.work.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(m.stop)
	return m
}

// stop is Asterisk's end.
func (m *manager) stop() {
	m.l.Close()
	m.mu.Lock()
	for c := range m.conns {
		c.Close()
	}
	m.mu.Unlock()
	m.work.Wait()
}

func (m *manager) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		m.mu.Lock()
		delete(m.conns, conn)
		m.mu.Unlock()
	}()
	fmt.Fprint(conn, "Asterisk Call Manager/9.0.0\r\n")
	r, in := bufio.NewReader(conn), false
	for {
		ask, err := readMessage(r)
		if err != nil {
			return
		}
		if ask["action"] == "Login" {
			in = ask["username"] == "zaseki" && ask["secret"] == "ami-secret"
		}
		if !in {
			say(conn, ask, "Error", "Authentication failed")
			continue
		}
		m.do(conn, ask)
	}
}

func say(conn net.Conn, ask message, response, text string) {
	fmt.Fprintf(conn, "Response: %s\r\nActionID: %s\r\nMessage: %s\r\n\r\n", response, ask["actionid"], text)
}

func (m *manager) do(conn net.Conn, ask message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := ask["queue"] + " " + ask["interface"]
	have, event := m.members[key], ""
	switch ask["action"] {
	case "Login", "Ping":
		say(conn, ask, "Success", "ok")
		if ask["action"] == "Login" {
			fmt.Fprint(conn, "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n")
		}
		return
	case "QueueStatus":
		fmt.Fprintf(conn, "Response: Success\r\nActionID: %s\r\nEventList: start\r\n\r\n", ask["actionid"])
		for k, v := range m.members {
			queue, iface, _ := strings.Cut(k, " ")
			fmt.Fprintf(conn, "Event: QueueMember\r\nActionID: %s\r\nQueue: %s\r\nName: %s\r\nLocation: %s\r\nMembership: %s\r\nPenalty: %s\r\nPaused: %s\r\nPausedReason: %s\r\n\r\n",
				ask["actionid"], queue, v["name"], iface, v["membership"], v["penalty"], v["paused"], v["reason"])
		}
		fmt.Fprintf(conn, "Event: QueueStatusComplete\r\nActionID: %s\r\nEventList: Complete\r\n\r\n", ask["actionid"])
		return
	case "QueueAdd":
		if have != nil || ask["queue"] == "nowhere" {
			say(conn, ask, "Error", "Unable to add interface")
			return
		}
		m.members[key] = map[string]string{"name": ask["membername"], "membership": "dynamic", "penalty": ask["penalty"], "paused": number(ask["paused"]), "reason": ""}
		event = "QueueMemberAdded"
	case "QueuePause", "QueuePenalty", "QueueRemove":
		if have == nil {
			say(conn, ask, "Error", "Interface not found")
			return
		}
		switch ask["action"] {
		case "QueuePause":
			have["paused"], have["reason"], event = number(ask["paused"]), ask["reason"], "QueueMemberPause"
		case "QueuePenalty":
			have["penalty"], event = ask["penalty"], "QueueMemberPenalty"
		default:
			delete(m.members, key)
			event = "QueueMemberRemoved"
		}
	default:
		say(conn, ask, "Error", "Invalid/unknown command")
		return
	}
	m.acts = append(m.acts, strings.TrimSpace(ask["action"]+" "+key+" "+ask["paused"]+" "+ask["reason"]))
	say(conn, ask, "Success", "done")
	m.tellLocked(event, key)
}

// tellLocked brings an event about a member to all.
func (m *manager) tellLocked(event, key string) {
	queue, iface, _ := strings.Cut(key, " ")
	v := m.members[key]
	for c := range m.conns {
		fmt.Fprintf(c, "Event: %s\r\nPrivilege: agent,all\r\nQueue: %s\r\nInterface: %s\r\nMemberName: %s\r\nMembership: %s\r\nPenalty: %s\r\nPaused: %s\r\nPausedReason: %s\r\n\r\n",
			event, queue, iface, v["name"], v["membership"], v["penalty"], v["paused"], v["reason"])
	}
}

func number(yes string) string {
	if yes == "true" || yes == "1" {
		return "1"
	}
	return "0"
}

// shows is "queue interface paused reason penalty" of every member.
func (m *manager) shows() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []string{}
	for k, v := range m.members {
		all = append(all, strings.TrimSpace(k+" "+v["paused"]+" "+v["reason"])+" "+v["penalty"])
	}
	slices.Sort(all)
	return all
}
