// Command rowhook delivers the webhooks of VikAppointments from the binary log of the database under WordPress.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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
	args := configLast(os.Args[1:])
	ctx := untilTold(len(args) > 0 && args[0] == "run")
	err := command(ctx, args, os.Stdout, os.Stderr)
	switch {
	case exitCode(err) == exitDone, errors.Is(err, errReported):
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
	args = configLast(args)
	if len(args) == 0 {
		return &usageError{"which command?", usage}
	}
	if strings.HasPrefix(args[0], "--config") || strings.HasPrefix(args[0], "-config") {
		return &usageError{"--config names a file, and which command?", usage}
	}
	rest := args[1:]
	switch args[0] { // those that draw on the terminal, or want to know what they write to
	case "backfill":
		return backfillCommand(ctx, rest, stdout, stderr)
	case "events":
		return eventsCommand(ctx, rest, stdout, stderr)
	case "import":
		return importCommand(ctx, rest, stdout, stderr)
	case "deliveries":
		return deliveriesCommand(ctx, rest, stdout, stderr)
	}
	out := printable.NewWriter(stdout)
	return errors.Join(printing(ctx, args[0], rest, out, stderr), out.Flush())
}

// printing runs a command that only prints.
func printing(ctx context.Context, name string, rest []string, stdout, stderr io.Writer) error {
	switch name {
	case "run":
		return runCommand(ctx, rest, stdout, stderr)
	case "init":
		return initCommand(ctx, rest, stdout, stderr)
	case "check":
		return checkCommand(ctx, rest, stdout, stderr)
	case "rules":
		return rulesCommand(ctx, rest, stdout, stderr)
	case "position":
		return positionCommand(ctx, rest, stdout, stderr)
	case "endpoints":
		return endpointsCommand(ctx, rest, stdout, stderr)
	case "sites":
		return sitesCommand(ctx, rest, stdout, stderr)
	case "version", "--version":
		_, err := fmt.Fprintln(stdout, "rowhook", version())
		return err
	case "help", "--help", "-h":
		_, err := fmt.Fprintln(stdout, usage)
		return err
	}
	return &usageError{fmt.Sprintf("there is no command %q", name), usage}
}

const usage = `usage: rowhook [--config FILE] COMMAND [flags]

  init        make a configuration for the WordPress on this machine
  run         follow the database and deliver webhooks
  check       look at the server, the grants and the sites; print what to fix
  rules       validate or list the rules
  import      print rules for the webhooks of the plugin's own table
  position    show where the daemon goes on in the log, or set it
  events      show what would fire over a part of the log
  deliveries  list, show, retry, drop, erase or export what was sent and what waits
  backfill    report rows that are there already to a rule's receiver
  endpoints   list, pause or resume the receivers
  sites       list the sites, or go on with a stopped one
  version     print the version

rowhook COMMAND --help says more.`

// exitCode is what a command's error means to the shell.
func exitCode(err error) int {
	var wrongUsage *usageError
	var wrongConfig *config.Error
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.As(err, &wrongUsage), errors.As(err, &wrongConfig):
		return exitUsage
	}
	return exitFailed
}
