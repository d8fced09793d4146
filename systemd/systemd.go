// Package systemd tells systemd how the service is. Started by anything else, it tells nobody.
package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Notifier tells systemd how the service is. It is safe for concurrent use.
type Notifier struct{ log *slog.Logger }

// New makes a Notifier. What systemd does not take is logged.
func New(log *slog.Logger) *Notifier { return &Notifier{log} }

// Ready says that the service does its work; status is what `systemctl status` shows.
func (n *Notifier) Ready(status string) { n.send(daemon.SdNotifyReady + "\n" + statusLine(status)) }

// Status says what the service does.
func (n *Notifier) Status(status string) { n.send(statusLine(status)) }

// Reloaded ends what Reloading began.
func (n *Notifier) Reloaded() { n.send(daemon.SdNotifyReady) }

// Reloading says that the service reads its configuration again, until Reloaded.
func (n *Notifier) Reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		n.log.Warn("systemd is not told that the configuration is read again", slog.Any("error", err))
		return
	}
	n.send(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// Stopping says that the service ends in order.
func (n *Notifier) Stopping() { n.send(daemon.SdNotifyStopping) }

// Watch tells systemd again and again that the service is alive, as long as alive returns no error within half of the time in
// which systemd expects to hear of it. Where systemd does not watch it does nothing. The function that it returns ends it.
func (n *Notifier) Watch(ctx context.Context, alive func(context.Context) error) (stop func()) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		n.log.Warn("systemd watches this service, and does not say how", slog.Any("error", err))
	}
	if limit <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.watch(ctx, limit/4, alive)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (n *Notifier) watch(ctx context.Context, every time.Duration, alive func(context.Context) error) {
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		asked, cancel := context.WithTimeout(ctx, 2*every)
		err := alive(asked)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			n.log.Error("the service is not well, and systemd restarts it if that lasts", slog.Any("error", err))
		default:
			n.send(daemon.SdNotifyWatchdog)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

func (n *Notifier) send(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.log.Warn("systemd cannot be told how this service is", slog.Any("error", err))
	}
}

// statusLine is a status on one line, of a length that fits a terminal.
func statusLine(status string) string {
	const most = 300
	line := strings.Join(strings.Fields(status), " ")
	return "STATUS=" + strings.ToValidUTF8(line[:min(len(line), most)], "")
}
