package route

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// listen hears every message of the routing socket (route(4)): addresses, interfaces, routes.
func listen(ctx context.Context, tell func()) {
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return
	}
	socket := os.NewFile(uintptr(fd), "route")
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer func() {
		if stop() {
			socket.Close()
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := socket.Read(buf)
		if err != nil {
			return
		}
		if concerns(buf[:n]) {
			tell()
		}
	}
}

// concerns: the message is of an address, an interface or a route, not of a lookup. Its type is the fourth byte of each
// message (struct rt_msghdr).
func concerns(message []byte) bool {
	if len(message) < 4 {
		return false
	}
	switch message[3] {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR, unix.RTM_IFINFO, unix.RTM_ADD, unix.RTM_DELETE, unix.RTM_CHANGE:
		return true
	}
	return false
}
