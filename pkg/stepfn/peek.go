//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package stepfn

import (
	"net"
	"syscall"
)

// spoken reports whether the other side of an idle connection has closed it, or has sent
// something unsolicited, such as a TLS alert or a 408. Nothing may be written to such a
// connection, because it could be lost without a way to know. net/http finds out by
// itself, but only once its reader has run, which it has not in a function that was just
// thawed.
func spoken(conn net.Conn) bool {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true // we have already closed it
	}
	var peekErr error
	// Control is used because the reader holds the lock that Read takes.
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
