package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
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
