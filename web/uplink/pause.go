package uplink

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"zaseki/web/socket"
)

// wsaRefused is what Windows calls ECONNREFUSED (WSAECONNREFUSED); no other system has an error of that number.
const wsaRefused = syscall.Errno(10061)

// isDown says that a host answered, but no center: all its phones are told the same, and will come back together.
func isDown(err error) bool {
	var refused *socket.Refused
	var number syscall.Errno
	return errors.As(err, &refused) || errors.As(err, &number) && (number == syscall.ECONNREFUSED || number == wsaRefused)
}

// pause is how long to wait after the try-th one that failed, the first being 0.
//
// The first is soon over: it may be this phone's cable only. While nothing answers it stays so, up to two seconds. Where the
// center is down each phone has a moment of its own within crowdTime, and comes back at that moment of every crowdTime, so that the crowd
// stays spread however long it takes. Other nodes, which have their own phones still, are asked before.
func pause(try int, down bool, nodes int) time.Duration {
	switch {
	case !down || try == 0:
		d := min(200*time.Millisecond<<min(try, 4), 2*time.Second)
		return d/2 + rand.N(d/2)
	case try < nodes:
		return rand.N(crowdTime / time.Duration(nodes))
	case try == nodes:
		return rand.N(crowdTime)
	}
	return crowdTime
}
