package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that cannot be understood: exit code 2.
type usageError struct {
	message string
	hint    string // what to type instead
}

func (e *usageError) Error() string { return e.message + "\n" + e.hint }

// noCommand is for a command line that ends before it says what to do.
func noCommand(c *cobra.Command, _ []string) error {
	switch {
	case !c.HasParent() && c.Flags().Changed("version"):
		_, err := fmt.Fprintln(c.OutOrStdout(), "rowhook", version())
		return err
	case c.HasParent():
		return &usageError{c.CommandPath() + " needs to know what to do", commandsOf(c)}
	case c.Flags().Changed("config"):
		return &usageError{"--config names a file, and which command?", commandsOf(c)}
	}
	return &usageError{"which command?", commandsOf(c)}
}

// unknownCommand is for a word that is no command of c.
func unknownCommand(c *cobra.Command, word string) error {
	said := fmt.Sprintf("there is no command %q", word)
	if c.HasParent() {
		said = fmt.Sprintf("%s has no command %q", c.CommandPath(), word)
	}
	c.SuggestionsMinimumDistance = likely
	if near := c.SuggestionsFor(word); len(near) > 0 {
		return &usageError{said, fmt.Sprintf("did you mean: %s %s", c.CommandPath(), strings.Join(near, ", or "))}
	}
	return &usageError{said, commandsOf(c)}
}

// likely is how many letters a word may differ from what was meant.
const likely = 2

// commandsOf names the commands of c, as a hint.
func commandsOf(c *cobra.Command) string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Sprintf("try: %s %s, or -h", c.CommandPath(), strings.Join(names, ", "))
}

// wrongFlag is for flags that c does not have, or that are not as they must be.
func wrongFlag(c *cobra.Command, err error) error {
	hint := "try: " + c.CommandPath() + " -h"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if near := nearestFlag(c, name); near != "" {
			hint = "did you mean: --" + near
		}
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return &usageError{fmt.Sprintf("%s has no flag %s%s", c.CommandPath(), dashes, name), hint}
	}
	return &usageError{err.Error(), hint}
}

// nearestFlag is the flag of c that is most like a word, empty when none is. What cobra knows of words it knows of commands.
func nearestFlag(c *cobra.Command, word string) string {
	flags := &cobra.Command{SuggestionsMinimumDistance: likely}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	if near := flags.SuggestionsFor(word); len(near) > 0 {
		return near[0]
	}
	return ""
}

// wrongNumber is for too few or too many names.
func wrongNumber(c *cobra.Command, names []string, least, most int) error {
	hint := "try: " + c.CommandPath() + " -h"
	switch {
	case most == 0:
		return &usageError{fmt.Sprintf("unexpected argument %q", strings.Join(names, " ")), hint}
	case least == most && most == 1:
		return &usageError{fmt.Sprintf("%s takes one name, and this is %d", c.CommandPath(), len(names)), hint}
	}
	return &usageError{fmt.Sprintf("%s takes %d to %d names, and this is %d", c.CommandPath(), least, most, len(names)), hint}
}
