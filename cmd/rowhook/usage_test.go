package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestArrange: flags may stand anywhere, with one dash or two.
func TestArrange(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                    "",
		"run":                                 "run",
		"--config f run":                      "run --config f",
		"-config=f run":                       "run --config=f",
		"-config f run":                       "run --config f",
		"--config f rules list":               "rules list --config f",
		"rules --config f list":               "rules list --config f",
		"rules --config=f list --json":        "rules list --config=f --json",
		"--json rules -show-secrets list":     "rules list --json --show-secrets",
		"--config f deliveries show ID":       "deliveries show ID --config f",
		"--state dead deliveries --json list": "deliveries list --state dead --json",
		"backfill --rule r --config f":        "backfill --rule r --config f",
		"--config f backfill --rule -r":       "backfill --config f --rule -r",
		"--config":                            "--config",
		"rules --config":                      "rules --config",
		"endpoints pause --reason -json a":    "endpoints pause a --reason -json",
		"endpoints -reason=x -- pause -json":  "endpoints --reason=x -- pause -json",
		"--config a rules --config b list":    "rules list --config a --config b",
		"deliveries show -h ID --help":        "deliveries show ID -h --help",
		"rules list --jsom -x --json":         "rules list --jsom -x --json",
		"__complete rules --json list --":     "__complete rules --json list --",
	} {
		if got := newTree(io.Discard, io.Discard).arrange(strings.Fields(args)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", args, got, want)
		}
	}
}

// TestFlagsMeanTheSame: a flag's name takes a value in every command, or in none: arrange depends on it.
func TestFlagsMeanTheSame(t *testing.T) {
	t.Parallel()
	takesValue, first := map[string]bool{}, map[string]string{}
	tree := newTree(io.Discard, io.Discard)
	tree.visit(func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			takes := f.NoOptDefVal == ""
			if where, seen := first[f.Name]; seen && takesValue[f.Name] != takes {
				t.Errorf("--%s takes a value in one of %q and %q only", f.Name, where, c.CommandPath())
			}
			takesValue[f.Name], first[f.Name] = takes, c.CommandPath()
		})
	})
}

// TestCommandsExplainThemselves: every command says in a line what it does, and those that do something show an example.
func TestCommandsExplainThemselves(t *testing.T) {
	t.Parallel()
	tree := newTree(io.Discard, io.Discard)
	tree.visit(func(c *cobra.Command) {
		if c.Short == "" || strings.Contains(c.Short, "\n") || strings.HasSuffix(c.Short, ".") || len(c.Short) > 100 {
			t.Errorf("%s: what it does is no line: %q", c.CommandPath(), c.Short)
		}
		if c.HasSubCommands() || c.Name() == "help" {
			return
		}
		for line := range strings.Lines(c.Example) {
			line, _, _ = strings.Cut(line, " > ")
			line, _, _ = strings.Cut(line, " && ")
			line, _, _ = strings.Cut(line, " | ")
			args := strings.Fields(strings.TrimSpace(line))
			if len(args) < 2 || args[0] != "rowhook" {
				t.Errorf("%s: the example %q is none of it", c.CommandPath(), line)
			} else if err := command(t.Context(), append(args[1:], "-h"), io.Discard, io.Discard); err != nil {
				t.Errorf("%s: the example %q: %v", c.CommandPath(), line, err)
			}
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
	})
}

// TestCommandWords: what is typed wrongly is answered with what to type.
func TestCommandWords(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                     "which command?",
		"--config f":           "--config names a file, and which command?",
		"--config":             "flag needs an argument: --config",
		"nonsense":             `there is no command "nonsense"`,
		"rules":                "rowhook rules needs to know what to do",
		"rules --json":         "rowhook rules has no flag --json",
		"rulse list":           "there is no command \"rulse\"\ndid you mean: rowhook rules",
		"deliveries lst":       "rowhook deliveries has no command \"lst\"\ndid you mean: rowhook deliveries list",
		"deliveries lst -h":    "rowhook deliveries has no command \"lst\"\ndid you mean: rowhook deliveries list",
		"rules list --jsno":    "rowhook rules list has no flag --jsno\ndid you mean: --json",
		"rules list -jsno":     "rowhook rules list has no flag --jsno\ndid you mean: --json",
		"rules list -j":        "rowhook rules list has no flag -j",
		"rules list --zzzzzz":  "rowhook rules list has no flag --zzzzzz\ntry: rowhook rules list -h",
		"check --json=perhaps": "invalid argument \"perhaps\" for \"--json\" flag",
		"check now":            "unexpected argument \"now\"\ntry: rowhook check -h",
		"deliveries show":      "rowhook deliveries show takes one name, and this is 0",
		"help nonsense":        "there is no command \"nonsense\"",
		"completion":           "rowhook completion needs to know what to do",
		"completion tcsh":      "rowhook completion has no command \"tcsh\"",
		"man":                  "rowhook man takes one name, and this is 0",
		"deliveries nonsense":  `rowhook deliveries has no command "nonsense"`,
		"--config f endpoints": "rowhook endpoints needs to know what to do",
	} {
		err := command(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if _, wrong := errors.AsType[*usageError](err); !wrong || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("rowhook %s: %v, want %s", args, err, want)
		}
	}
	for _, name := range []string{"rules", "deliveries", "endpoints", "position", "run", "check", "import", "events", "backfill", "rules list", "init", "sites resume", "version", "completion bash"} {
		var out bytes.Buffer
		err := command(t.Context(), append(strings.Fields(name), "--help"), &out, io.Discard)
		if err != nil || !strings.Contains(out.String(), "rowhook "+name) {
			t.Errorf("rowhook %s --help: %q, %v", name, out.String(), err)
		}
		var same bytes.Buffer
		if err := command(t.Context(), append([]string{"help"}, strings.Fields(name)...), &same, io.Discard); err != nil || same.String() != out.String() {
			t.Errorf("rowhook help %s: %v, and not what --help says: %q", name, err, same.String())
		}
	}
	for _, args := range []string{"version", "--version"} {
		var out bytes.Buffer
		if err := command(t.Context(), []string{args}, &out, io.Discard); err != nil || out.String() != "rowhook "+version()+"\n" {
			t.Errorf("rowhook %s: %q, %v", args, out.String(), err)
		}
	}
}
