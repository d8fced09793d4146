package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// defaultConfig is where a package installs the configuration.
const defaultConfig = "/etc/rowhook/config.yaml"

// usageError is a command line that cannot be understood: exit code 2.
type usageError struct {
	message string
	hint    string // what to type instead
}

func (e *usageError) Error() string { return e.message + "\n" + e.hint }

// configLast moves --config FILE from before a command, and from between its words, to behind them, where the command's own
// flags are.
func configLast(args []string) []string {
	var words, file []string
	for len(args) > 0 && len(words) < 2 { // no command has more words
		name, _, glued := strings.Cut(args[0], "=")
		isConfig := name == "--config" || name == "-config"
		switch {
		case isConfig && glued:
			file, args = append(file, args[0]), args[1:]
		case isConfig && len(args) > 1:
			file, args = append(file, args[:2]...), args[2:]
		case strings.HasPrefix(name, "-") && len(words) > 0:
			return slices.Concat(words, file, args)
		default:
			words, args = append(words, args[0]), args[1:]
		}
	}
	return slices.Concat(words, file, args)
}

// subcommand is the word of a command such as `rowhook rules` that says what to do; hint names those there are.
func subcommand(command, hint string, args []string, stdout io.Writer) (name string, rest []string, err error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
			fmt.Fprintln(stdout, hint)
			return "", nil, flag.ErrHelp
		}
		return "", nil, &usageError{"rowhook " + command + " needs to know what to do", hint}
	}
	return args[0], args[1:], nil
}

// noSubcommand is for a word that subcommand returned and the command does not know.
func noSubcommand(command, hint, name string) error {
	return &usageError{fmt.Sprintf("rowhook %s has no command %q", command, name), hint}
}

// flagSet is the flags of one command. Every command has --config.
type flagSet struct {
	*flag.FlagSet
	config string
}

// newFlagSet makes the flags of a command: its words, "rules list", and what it does.
func newFlagSet(command, purpose string) *flagSet {
	f := &flagSet{FlagSet: flag.NewFlagSet("rowhook "+command, flag.ContinueOnError)}
	f.StringVar(&f.config, "config", defaultConfig, "the configuration `FILE`")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "%s: %s\n\n", f.Name(), purpose)
		f.PrintDefaults()
	}
	return f
}

// parseNames reads the flags, and from least to most names, which may stand before, between and behind them.
func (f *flagSet) parseNames(args []string, stdout io.Writer, least, most int) (names []string, err error) {
	for {
		if err := f.read(args, stdout); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			break
		}
		names, args = append(names, f.Arg(0)), f.Args()[1:]
	}
	if len(names) < least || len(names) > most {
		takes := fmt.Sprintf("%d to %d names", least, most)
		if least == most && most == 1 {
			takes = "one name"
		}
		return nil, &usageError{fmt.Sprintf("%s takes %s, and this is %d", f.Name(), takes, len(names)), "try: " + f.Name() + " -h"}
	}
	return names, nil
}

// parse reads the flags; the command takes no other arguments. Asked for help it writes it to stdout and returns
// flag.ErrHelp; everything else that is wrong is a usageError.
func (f *flagSet) parse(args []string, stdout io.Writer) error {
	if err := f.read(args, stdout); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Sprintf("unexpected argument %q", strings.Join(f.Args(), " ")), "try: " + f.Name() + " -h"}
	}
	return nil
}

// read reads the flags up to the first argument that is none.
func (f *flagSet) read(args []string, stdout io.Writer) error {
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return flag.ErrHelp
	case err != nil:
		return &usageError{err.Error(), "try: " + f.Name() + " -h"}
	}
	return nil
}
