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
	"syscall"
	_ "time/tzdata" // the sites' time zones, also where the system has none

	"rowhook/config"
)

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if exitCode(err) != exitDone && !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "rowhook:", err)
	}
	os.Exit(exitCode(err))
}

// errReported fails a command that has said why already.
var errReported = errors.New("failed")

// command runs the command that the first argument names.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return &usageError{"which command?", usage}
	}
	switch rest := args[1:]; args[0] {
	case "run":
		return runCommand(ctx, rest, stdout, stderr)
	case "check":
		return checkCommand(ctx, rest, stdout, stderr)
	case "rules":
		return rulesCommand(ctx, rest, stdout, stderr)
	case "import":
		return importCommand(ctx, rest, stdout, stderr)
	case "position":
		return positionCommand(ctx, rest, stdout, stderr)
	case "events":
		return eventsCommand(ctx, rest, stdout, stderr)
	case "deliveries":
		return deliveriesCommand(ctx, rest, stdout, stderr)
	case "backfill":
		return backfillCommand(ctx, rest, stdout, stderr)
	case "endpoints":
		return endpointsCommand(ctx, rest, stdout, stderr)
	case "version", "--version":
		_, err := fmt.Fprintln(stdout, "rowhook", version())
		return err
	case "help", "--help", "-h":
		_, err := fmt.Fprintln(stdout, usage)
		return err
	}
	return &usageError{fmt.Sprintf("there is no command %q", args[0]), usage}
}

const usage = `usage: rowhook COMMAND [--config FILE] [flags]

  run         follow the database and deliver webhooks
  check       look at the server, the grants and the sites; print what to mend
  rules       validate or list the rules
  import      print rules for the webhooks of the plugin's own table
  position    show where the daemon goes on in the log, or set it
  events      show what would fire over a part of the log
  deliveries  list, show, retry or export what was sent and what waits
  backfill    report rows that are there already to a rule's receiver
  endpoints   list, pause or resume the receivers
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
