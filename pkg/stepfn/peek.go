//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package stepfn

import (
	"net"
	"syscall"
)

// spoken reports whether the other side of an idle connection has closed it, or
// has sent what nobody asked for: a TLS alert, a 408. Then nothing may be written
// to it, for what is written could get lost and nobody could say whether it did.
// net/http finds that out by itself, but only when its reader has had time to run,
// which in a function that was just thawed it has not.
func spoken(conn net.Conn) bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true // already closed by us
	}
	var peekErr error
	// Control, as the reader holds the lock that Read takes.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		for {
			_, _, peekErr = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if peekErr != syscall.EINTR {
				return
			}
		}
	})
	return err != nil || peekErr != syscall.EAGAIN && peekErr != syscall.EWOULDBLOCK
}
