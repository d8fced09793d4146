package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rowhook/config"
	"rowhook/rules"
)

// completionCommand is `rowhook completion`: what a shell needs to complete command lines.
func completionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "completion", Short: "print what a shell needs to complete rowhook's commands",
		Long: "Prints a script that completes commands, flags, and the names of sites, rules and endpoints. The packages install it.",
		Example: "  rowhook completion bash > /etc/bash_completion.d/rowhook\n" +
			"  rowhook completion zsh > \"${fpath[1]}/_rowhook\"\n" +
			"  rowhook completion fish > ~/.config/fish/completions/rowhook.fish",
	}
	shell := func(name string, write func(root *cobra.Command, w io.Writer) error) *cobra.Command {
		sub := &cobra.Command{Use: name, Short: "print the script for " + name, Example: "  rowhook completion " + name}
		return does(sub, 0, 0, func(_ context.Context, _ []string, stdout, _ io.Writer) error { return write(sub.Root(), stdout) })
	}
	return group(c,
		shell("bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }),
		shell("zsh", func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) }),
		shell("fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }))
}

// complete has the values of a flag completed, by a tree that is asked to: cobra remembers each for ever.
func (t *tree) complete(c *cobra.Command, flag string, values cobra.CompletionFunc) {
	t.completions = append(t.completions, func() error { return c.RegisterFlagCompletionFunc(flag, values) })
}

// configFiles completes the names of YAML files.
func configFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// folders completes the names of folders.
func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// oneOf completes words that are always the same.
func oneOf(names ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(slices.Clone(names), cobra.ShellCompDirectiveNoFileComp)
}

// lists completes the last of several words with commas between them.
func lists(one cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		found, directive := one(c, args, typed[len(before):])
		names := make([]cobra.Completion, len(found)) // found may be the words themselves
		for i, name := range found {
			names[i] = before + name
		}
		return names, directive | cobra.ShellCompDirectiveNoSpace
	}
}

// firstName has nothing completed behind the first name.
func firstName(one cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return one(c, args, typed)
	}
}

// siteNames completes the sites of the configuration.
func (t *tree) siteNames(cmd *cobra.Command, _ []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	if c, err := config.Load(t.config); err == nil {
		_ = knownSites(cmd.Context(), c) // who may not read them gets those of the configuration
		for _, s := range c.Sites {
			names = append(names, s.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// stoppedNames completes the sites, and those of their tables that are stopped by themselves: salon+posts.
func (t *tree) stoppedNames(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, directive := t.siteNames(cmd, args, typed)
	if c, err := loadState(cmd.Context(), t.config); err == nil {
		list, _ := gatherSites(cmd.Context(), c) // who may not ask gets the sites only
		for _, s := range list.Sites {
			if s.Name != rules.SiteOf(s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names, directive
}

// ruleNames completes the rules.
func (t *tree) ruleNames(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return t.ofRules(func(r *rules.Rule) string { return r.Name })
}

// endpointNames completes the endpoints of the rules.
func (t *tree) endpointNames(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return t.ofRules(func(r *rules.Rule) string {
		if r.Disabled {
			return ""
		}
		return endpointName(r)
	})
}

// ofRules completes something that rules name. Who may not read them gets nothing.
func (t *tree) ofRules(name func(*rules.Rule) string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	c, err := config.Load(t.config)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	set, err := readRules(c, t.config)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, r := range set.Rules {
		if n := name(r); n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
