package route

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// groups are the changes we want to hear of (rtnetlink(7)).
const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE

// listen hears the kernel's notices on a netlink socket, which needs no rights. Too many at once (ENOBUFS) is news as well.
func listen(ctx context.Context, tell func()) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return
	}
	socket := os.NewFile(uintptr(fd), "netlink") // non-blocking: the runtime waits for it, and closing ends the wait
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer func() {
		if stop() {
			socket.Close()
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := socket.Read(buf)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return
		case err != nil || n > 0:
			tell()
		}
	}
}
