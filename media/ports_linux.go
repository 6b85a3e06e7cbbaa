package media

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Ports hears ports of IPv4, all by one goroutine: it waits for the whole set of them at once (epoll(7)) and takes each datagram where
// it finds it. With a goroutine for each port, Go's scheduler takes as much time for every packet as its two system calls do.
type Ports struct {
	mu  sync.Mutex
	set *portSet // nil: no port is open
}

// NewPorts makes ears that engines may share. Nothing runs while no port is open.
func NewPorts() *Ports { return &Ports{} }

// portSet is a set of the kernel's, and the goroutine that waits for it.
type portSet struct {
	file  *os.File // the set, which itself waits in Go's poller
	raw   syscall.RawConn
	fd    int
	ports atomic.Pointer[map[int32]*socket] // by descriptor; replaced under the mutex of all
	over  chan struct{}
}

// wait waits until the goroutine has ended, for who has closed all ports.
func (e *Ports) wait() {
	e.mu.Lock()
	set := e.set
	e.mu.Unlock()
	if set != nil {
		<-set.over
	}
}

// adopt takes the socket out of Go's poller and into the set; nil for one of IPv6.
func (e *Ports) adopt(conn *net.UDPConn) (*socket, error) {
	if at, ok := conn.LocalAddr().(*net.UDPAddr); !ok || at.IP.To4() == nil {
		return nil, nil
	}
	s := &socket{owner: e}
	s.state.Store(1)
	var err error
	if s.fd, err = duplicate(conn); err != nil {
		return nil, err
	}
	_ = conn.Close()
	if err := e.enter(s); err != nil {
		_ = syscall.Close(s.fd)
		return nil, err
	}
	return s, nil
}

// duplicate gives the socket another descriptor, that Go's poller knows nothing of.
func duplicate(conn *net.UDPConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd uintptr
	var no syscall.Errno
	if err := raw.Control(func(old uintptr) {
		fd, _, no = syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return 0, err
	}
	if no != 0 {
		return 0, os.NewSyscallError("fcntl", no)
	}
	return int(fd), nil
}

func (e *Ports) enter(s *socket) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set == nil {
		set, err := newPortSet()
		if err != nil {
			return err
		}
		e.set = set
		go set.run()
	}
	s.set = e.set
	ports := maps.Clone(*s.set.ports.Load())
	ports[int32(s.fd)] = s
	s.set.ports.Store(&ports)
	if err := s.wants(syscall.EPOLL_CTL_ADD, 0); err != nil {
		e.leaveLocked(s)
		return err
	}
	return nil
}

// leaveLocked forgets a socket; with the last one the set goes too.
func (e *Ports) leaveLocked(s *socket) {
	ports := maps.Clone(*s.set.ports.Load())
	delete(ports, int32(s.fd))
	s.set.ports.Store(&ports)
	if len(ports) == 0 {
		_ = s.set.file.Close()
		e.set = nil
	}
}

func newPortSet() (*portSet, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open a set of ports: %w", err)
	}
	_ = syscall.SetNonblock(fd, true) // else Go would not wait for it
	set := &portSet{file: os.NewFile(uintptr(fd), "ports"), fd: fd, over: make(chan struct{})}
	set.ports.Store(&map[int32]*socket{})
	if set.raw, err = set.file.SyscallConn(); err != nil {
		_ = set.file.Close()
		return nil, err
	}
	return set, nil
}

// run takes what comes until the set is closed.
func (p *portSet) run() {
	defer close(p.over)
	var events [64]syscall.EpollEvent
	n := 0
	look := func(fd uintptr) bool {
		found, _, err := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
		if n = int(found); err != 0 {
			n = 0
		}
		return n > 0
	}
	buf := make([]byte, maxDatagram)
	for p.raw.Read(look) == nil {
		ports := *p.ports.Load()
		for i := range n {
			if s := ports[events[i].Fd]; s != nil {
				s.take(buf)
			}
		}
	}
}

// socket is one of ours. Its descriptor lives until nobody is inside of a system call with it.
type socket struct {
	owner *Ports
	set   *portSet
	fd    int

	state  atomic.Int32 // who is inside, and one for being open; closed is added to it
	closes atomic.Bool
	heard  atomic.Pointer[hearer] // nil: nobody hears
}

type hearer struct {
	take taker
	over func()
}

const closed = 1 << 30

func (s *socket) enter() bool {
	for {
		in := s.state.Load()
		if in >= closed {
			return false
		}
		if s.state.CompareAndSwap(in, in+1) {
			return true
		}
	}
}

func (s *socket) leave() {
	if s.state.Add(-1) == closed {
		s.end()
	}
}

func (s *socket) close() {
	if s.closes.CompareAndSwap(false, true) && s.state.Add(closed-1) == closed {
		s.end()
	}
}

func (s *socket) end() {
	s.owner.mu.Lock()
	s.owner.leaveLocked(s)
	_ = syscall.Close(s.fd)
	s.owner.mu.Unlock()
	if h := s.heard.Load(); h != nil {
		h.over()
	}
}

func (s *socket) hear(take taker, over func()) {
	if !s.enter() {
		over()
		return
	}
	defer s.leave()
	s.heard.Store(&hearer{take, over})
	_ = s.wants(syscall.EPOLL_CTL_MOD, syscall.EPOLLIN) // fails only for what is not in the set
}

func (s *socket) wants(op int, events uint32) error {
	return syscall.EpollCtl(s.set.fd, op, s.fd, &syscall.EpollEvent{Events: events, Fd: int32(s.fd)})
}

// take takes one datagram; if there are more, the set says so again.
func (s *socket) take(buf []byte) {
	h := s.heard.Load()
	if h == nil || !s.enter() {
		return
	}
	var addr syscall.RawSockaddrInet4
	size := uint32(syscall.SizeofSockaddrInet4)
	n, _, err := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)),
		syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size)))
	if err == 0 { // else it is gone, or the network's word about an earlier packet (ICMP)
		h.take(buf[:n], netip.AddrPortFrom(netip.AddrFrom4(addr.Addr), binary.BigEndian.Uint16(portOf(&addr))), time.Now())
	}
	s.leave()
}

// write loses the packet where there is no room for it: it would be late anyway.
func (s *socket) write(b []byte, to netip.AddrPort) error {
	at := to.Addr().Unmap()
	if !at.Is4() {
		return syscall.EAFNOSUPPORT
	}
	if !s.enter() {
		return net.ErrClosed
	}
	addr := syscall.RawSockaddrInet4{Family: syscall.AF_INET, Addr: at.As4()}
	binary.BigEndian.PutUint16(portOf(&addr), to.Port())
	_, _, err := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&addr)), syscall.SizeofSockaddrInet4)
	s.leave()
	if err != 0 {
		return err
	}
	return nil
}

// portOf is the address's, in the order of the network.
func portOf(addr *syscall.RawSockaddrInet4) []byte { return (*[2]byte)(unsafe.Pointer(&addr.Port))[:] }
