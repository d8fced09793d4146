package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestConfigLast(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                 "",
		"run":                              "run",
		"--config f run":                   "run --config f",
		"-config=f run":                    "run -config=f",
		"--config f rules list":            "rules list --config f",
		"rules --config f list":            "rules list --config f",
		"rules --config=f list --json":     "rules list --config=f --json",
		"rules list --json --config f":     "rules list --json --config f",
		"--config f deliveries show ID":    "deliveries show --config f ID",
		"backfill --rule r --config f":     "backfill --rule r --config f",
		"--config f backfill --rule r":     "backfill --config f --rule r",
		"--config":                         "--config",
		"rules --config":                   "rules --config",
		"--config f":                       "--config f",
		"events --from start --config f":   "events --from start --config f",
		"--config a rules --config b list": "rules list --config a --config b",
	} {
		if got := configLast(strings.Fields(args)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", args, got, want)
		}
	}
}

// TestCommandWords: what is typed wrongly is answered with what to type.
func TestCommandWords(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                     "which command?",
		"--config f":           "--config names a file, and which command?",
		"--config":             "--config names a file, and which command?",
		"nonsense":             `there is no command "nonsense"`,
		"rules":                "rowhook rules needs to know what to do",
		"rules --json":         "rowhook rules needs to know what to do",
		"deliveries nonsense":  `rowhook deliveries has no command "nonsense"`,
		"--config f endpoints": "rowhook endpoints needs to know what to do",
	} {
		err := command(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if _, wrong := errors.AsType[*usageError](err); !wrong || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("rowhook %s: %v, want %s", args, err, want)
		}
	}
	for _, name := range []string{"rules", "deliveries", "endpoints", "position", "run", "check", "import", "events", "backfill", "rules list"} {
		var out bytes.Buffer
		err := command(t.Context(), append(strings.Fields(name), "--help"), &out, io.Discard)
		if !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "rowhook "+name) {
			t.Errorf("rowhook %s --help: %q, %v", name, out.String(), err)
		}
	}
}
