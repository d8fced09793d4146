package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rowhook/printable"
)

// defaultConfig is where a package installs the configuration.
const defaultConfig = "/etc/rowhook/config.yaml"

// tree is all commands. Completion and man pages are made from it, too.
type tree struct {
	root   *cobra.Command
	config string // what --config says, once the flags are read

	completions []func() error // each has the values of a flag completed
}

// The groups in which `rowhook --help` shows the commands.
const (
	groupSetup = "setup"
	groupRun   = "run"
	groupLook  = "look"
)

func newTree(stdout, stderr io.Writer) *tree {
	t := &tree{}
	t.root = &cobra.Command{
		Use: "rowhook", Short: "Delivers the webhooks of VikAppointments from the database's binary log",
		Long: "rowhook follows the binary log of the MySQL or MariaDB server under a WordPress site, and delivers the webhooks of\n" +
			"the booking plugin VikAppointments: what was committed, whoever wrote it, until the receiver accepts it.",
		Example:       "  rowhook init --wordpress /var/www/html --apply\n  rowhook check\n  rowhook run",
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs, RunE: noCommand,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	t.root.SetOut(stdout)
	t.root.SetErr(stderr)
	t.root.SetFlagErrorFunc(wrongFlag)
	t.root.PersistentFlags().StringVar(&t.config, "config", defaultConfig, "the configuration `FILE`")
	t.complete(t.root, "config", configFiles)
	t.root.AddGroup(&cobra.Group{ID: groupSetup, Title: "To set it up:"}, &cobra.Group{ID: groupRun, Title: "To run it:"},
		&cobra.Group{ID: groupLook, Title: "To see and to decide what becomes of webhooks:"})
	t.add(groupSetup, t.initCommand(), t.checkCommand(), t.importCommand(), t.rulesCommand(), t.relayCommand())
	t.add(groupRun, t.runCommand(), t.statusCommand(), t.positionCommand(), t.sitesCommand(), t.outboxCommand())
	t.add(groupLook, t.deliveriesCommand(), t.endpointsCommand(), t.eventsCommand(), t.backfillCommand(), t.consoleCommand())
	t.add("", completionCommand(), manCommand(), versionCommand())
	t.root.SetHelpCommand(helpCommand())
	t.root.InitDefaultHelpCmd()
	t.root.Flags().Bool("version", false, "print the version") // cobra's own would need a template, and those make the program a fifth larger
	return t
}

func (t *tree) add(group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		t.root.AddCommand(c)
	}
}

// execute runs the command that args name, which arrange has put in order.
func (t *tree) execute(ctx context.Context, args []string) error {
	if completing(args) {
		for _, register := range t.completions {
			if err := register(); err != nil {
				return err
			}
		}
	} else {
		found, rest, err := t.root.Find(args)
		if err != nil {
			return err
		}
		if found.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			return unknownCommand(found, rest[0])
		}
	}
	t.root.SetArgs(args)
	return t.root.ExecuteContext(ctx)
}

// completing says whether a shell asks what may be typed next.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// arrange puts flags behind the words of a command line, wherever they were typed, and gives those with one dash another one.
func (t *tree) arrange(args []string) []string {
	if completing(args) {
		return args
	}
	takesValue := map[string]bool{}
	t.visit(func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { takesValue[f.Name] = f.NoOptDefVal == "" })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { takesValue[f.Name] = f.NoOptDefVal == "" })
	})
	words, flags := []string{}, []string{}
	for len(args) > 0 && args[0] != "--" {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if len(name) > 1 && !strings.HasPrefix(arg, "--") {
			arg = "-" + arg
		}
		flags = append(flags, arg)
		if takesValue[name] && !hasValue && len(args) > 0 {
			flags, args = append(flags, args[0]), args[1:]
		}
	}
	return slices.Concat(words, flags, args)
}

// visit calls do with each command.
func (t *tree) visit(do func(*cobra.Command)) {
	var down func(*cobra.Command)
	down = func(c *cobra.Command) {
		do(c)
		for _, sub := range c.Commands() {
			down(sub)
		}
	}
	down(t.root)
}

// group is a command whose next word says what to do.
func group(c *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	c.RunE = noCommand
	c.AddCommand(commands...)
	return c
}

// work is what a command does when its flags are read.
type work func(ctx context.Context, names []string, stdout, stderr io.Writer) error

// does gives a command its work. It takes from least to most names.
func does(c *cobra.Command, least, most int, do work) *cobra.Command {
	c.RunE = func(c *cobra.Command, names []string) error {
		if len(names) < least || len(names) > most {
			return wrongNumber(c, names, least, most)
		}
		return do(c.Context(), names, c.OutOrStdout(), c.ErrOrStderr())
	}
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	return c
}

// prints is does for a command that only prints: what would command a terminal is escaped.
func prints(c *cobra.Command, least, most int, do work) *cobra.Command {
	return does(c, least, most, func(ctx context.Context, names []string, stdout, stderr io.Writer) error {
		out := printable.NewWriter(stdout)
		return errors.Join(do(ctx, names, out, stderr), out.Flush())
	})
}

// jsonFlag adds --json.
func jsonFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "write JSON, for programs")
}
