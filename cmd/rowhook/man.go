package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand is `rowhook man`: the packages have their man pages from it.
func manCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "man FOLDER", Short: "write a man page for each command into a folder", Hidden: true,
		Long:    "Writes a man page for each command into a folder. Their date is SOURCE_DATE_EPOCH, when that is set.",
		Example: "  rowhook man /usr/local/share/man/man8",
	}
	return does(c, 1, 1, func(_ context.Context, names []string, _, _ io.Writer) error {
		if err := os.MkdirAll(names[0], 0o755); err != nil {
			return fmt.Errorf("writing man pages: %w", err)
		}
		c.Root().DisableAutoGenTag = true
		date := pagesDate(os.Getenv("SOURCE_DATE_EPOCH"), time.Now())
		header := &doc.GenManHeader{Section: "8", Source: "rowhook", Manual: "rowhook", Date: &date}
		if err := doc.GenManTree(c.Root(), header, names[0]); err != nil {
			return fmt.Errorf("writing man pages: %w", err)
		}
		return nil
	})
}

// pagesDate is the month on man pages. It is the same wherever a package is built: of the last evening of a month one zone makes the next.
func pagesDate(epoch string, now time.Time) time.Time {
	if seconds, err := strconv.ParseInt(epoch, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	return now.UTC()
}

// helpCommand is `rowhook help COMMAND`, which is COMMAND --help.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "say more about a command", Hidden: true, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, words []string) error {
			found, rest, err := c.Root().Find(words)
			if err == nil && len(rest) > 0 {
				err = unknownCommand(found, rest[0])
			}
			if err != nil {
				return err
			}
			return found.Help()
		},
		ValidArgsFunction: func(c *cobra.Command, words []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
			if found, rest, err := c.Root().Find(words); err == nil && len(rest) == 0 {
				for _, sub := range found.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// versionCommand is `rowhook version`.
func versionCommand() *cobra.Command {
	c := &cobra.Command{Use: "version", Short: "print the version", Example: "  rowhook version --json"}
	asJSON := jsonFlag(c)
	return prints(c, 0, 0, func(_ context.Context, _ []string, stdout, _ io.Writer) error {
		if *asJSON {
			return writeJSON(stdout, struct {
				Version string `json:"version"`
			}{version()})
		}
		_, err := fmt.Fprintln(stdout, "rowhook", version())
		return err
	})
}
