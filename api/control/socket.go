package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Socket is where a daemon answers.
type Socket struct {
	listener net.Listener
	dir      string
}

// Listen makes the socket in dir: from then on commands wait for their answer. The caller owns the directory: a socket that
// lies there is one that a crash left.
func Listen(dir string) (*Socket, error) {
	l, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", filepath.Join(dir, socketName), err)
	}
	return &Socket{l, dir}, nil
}

// listen makes the socket in a directory of its own and moves it into place, so that at no time somebody else can open it.
func listen(dir string) (net.Listener, error) {
	private, err := os.MkdirTemp(dir, "s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	var l *net.UnixListener
	err = at(private, socketName, func(path string) error {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
		return err
	})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it is elsewhere by then
	made := filepath.Join(private, socketName)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, filepath.Join(dir, socketName))
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// remove takes the socket away. One that is left is in nobody's way.
func (s *Socket) remove() { _ = os.Remove(filepath.Join(s.dir, socketName)) }

// dial connects to the daemon of a directory.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	var conn net.Conn
	err := at(dir, socketName, func(path string) error {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if info.Mode().Type() != fs.ModeSocket {
			return fmt.Errorf("%s is no socket; find out who put it there, and remove it", filepath.Join(dir, socketName))
		}
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", path)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNoDaemon
	}
	if err != nil {
		return nil, err
	}
	if err := checkPeer(conn, dir); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// checkPeer makes sure that who answers is the owner of the directory, or root: a socket may have been put there by a link.
func checkPeer(conn net.Conn, dir string) error {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("no unix socket")
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return err
	}
	if !trusted(peer.Uid, st.Uid) {
		return fmt.Errorf("user %d answers on %s, which belongs to user %d; find out who put the socket there", peer.Uid, filepath.Join(dir, socketName), st.Uid)
	}
	return nil
}

// trusted says whether a user may answer in a directory of an owner.
func trusted(peer, owner uint32) bool { return peer == 0 || peer == owner }

// at hands do a path of a file in a directory, of any depth: the address of a unix socket holds only maxPath bytes of one.
func at(dir, name string, do func(path string) error) error {
	path := filepath.Join(dir, name)
	if len(path) <= maxPath {
		return do(path)
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	return do(fmt.Sprintf("/proc/self/fd/%d/%s", fd, name))
}

// maxPath is the longest path, in bytes, that is an address of a unix socket.
const maxPath = 107
