package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rowhook/outbox"
)

// lockName is the file whose lock says that a daemon works here. It holds the daemon's process id, for people.
const lockName = "lock"

// lockPatience is how long a lock is waited for: a daemon may be just going away, and a process that another one forks
// holds the lock, too, until it has become another program.
const lockPatience = time.Second

// acquire takes the lock of a directory. The kernel lets go of it when the process ends, however it ends.
func acquire(ctx context.Context, dir string) (*os.File, error) {
	f, err := openPlain(dir, lockName, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	err = flock(ctx, f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w%s", outbox.ErrLocked, holder(f))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The id is for people only: a full disk is no reason not to go on.
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return f, nil
}

// flock locks a file, or returns EWOULDBLOCK when somebody else keeps it locked.
func flock(ctx context.Context, f *os.File) error {
	patience := time.NewTimer(lockPatience)
	defer patience.Stop()
	again := time.NewTicker(lockPatience / 20)
	defer again.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-again.C:
		case <-patience.C:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// holder names the process that has the lock, as far as the file tells.
func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", pid)
}
