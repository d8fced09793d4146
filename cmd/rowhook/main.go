// Command rowhook delivers the webhooks of VikAppointments from the binary log of the database under WordPress.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the sites' time zones, also where the system has none

	"rowhook/config"
	"rowhook/printable"
)

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

func main() {
	t := newTree(os.Stdout, os.Stderr)
	args := t.arrange(os.Args[1:])
	ctx := untilTold(len(args) > 0 && args[0] == "run")
	err := t.execute(ctx, args)
	switch {
	case err == nil, errors.Is(err, errReported):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "rowhook: interrupted")
	default:
		fmt.Fprintln(os.Stderr, "rowhook:", printable.Text(err.Error()))
	}
	os.Exit(exitCode(err))
}

// untilTold ends with the first signal that says stop. A second SIGTERM changes nothing, a second Ctrl-C ends the process at
// once. SIGHUP says that the terminal was closed; to a daemon it says something else.
func untilTold(daemon bool) context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	others := []os.Signal{syscall.SIGTERM}
	if !daemon {
		others = append(others, syscall.SIGHUP)
	}
	ctx, _ = signal.NotifyContext(ctx, others...) // never stopped: they stay caught until the process ends
	return ctx
}

// errReported fails a command that has said why already.
var errReported = errors.New("failed")

// command runs the command that args name.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	t := newTree(stdout, stderr) //nolint:contextcheck // the commands have ctx from cobra
	return t.execute(ctx, t.arrange(args))
}

// exitCode is what a command's error means to the shell.
func exitCode(err error) int {
	var wrongUsage *usageError
	var wrongConfig *config.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrongUsage), errors.As(err, &wrongConfig):
		return exitUsage
	}
	return exitFailed
}
