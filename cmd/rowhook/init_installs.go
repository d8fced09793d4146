package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"rowhook/wordpress/wpconfig"
)

// installList is the installs of init's flags, each with what was given for it.
type installList struct {
	installs []install
	all      map[string]string // given before the first install, for all
}

type install struct {
	path  string
	given map[string]string
}

func (l *installList) add(path string) error {
	if path == "" {
		return errors.New("is empty; name the folder of WordPress")
	}
	l.installs = append(l.installs, install{path, map[string]string{}})
	return nil
}

func (l *installList) give(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || !slices.Contains(wpconfig.Names(), name) {
		return fmt.Errorf("is no NAME=VALUE with one of the names %s", strings.Join(wpconfig.Names(), ", "))
	}
	if len(l.installs) == 0 {
		if l.all == nil {
			l.all = map[string]string{}
		}
		l.all[name] = value
		return nil
	}
	l.installs[len(l.installs)-1].given[name] = value
	return nil
}

// read reads the installs' files. A person at a terminal is asked for what they do not tell.
func (l *installList) read(stderr io.Writer) ([]*wpconfig.Config, error) {
	var all []*wpconfig.Config
	asked := asker{out: stderr, in: bufio.NewReader(os.Stdin), terminal: term.IsTerminal(int(os.Stdin.Fd()))}
	for _, i := range l.installs {
		for name, value := range l.all {
			if _, own := i.given[name]; !own {
				i.given[name] = value
			}
		}
		c, err := asked.read(i)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// asker asks a person for settings.
type asker struct {
	out      io.Writer
	in       *bufio.Reader
	terminal bool
}

func (a *asker) read(i install) (*wpconfig.Config, error) {
	for {
		c, err := wpconfig.Read(i.path, wpconfig.Options{Given: i.given})
		unknown, is := errors.AsType[*wpconfig.UnknownError](err)
		if !is {
			return c, err
		}
		asks := unknown.Asks()
		if !a.terminal || slices.ContainsFunc(asks, func(name string) bool { _, twice := i.given[name]; return twice }) {
			return nil, needs(i, unknown)
		}
		fmt.Fprintf(a.out, "Some settings are made by PHP, which rowhook does not run:\n%s\n", unknown)
		for _, name := range asks {
			if i.given[name], err = a.ask(name); err != nil {
				return nil, fmt.Errorf("asking for %s: %w", name, err)
			}
		}
	}
}

// ask reads an answer. A password is not shown.
func (a *asker) ask(name string) (string, error) {
	question := map[string]string{wpconfig.WebHost: "the site's host name, for example www.example.com", wpconfig.TablePrefix: "$table_prefix"}[name]
	if question == "" {
		question = name
	}
	fmt.Fprintf(a.out, "%s: ", question)
	if name == wpconfig.Password {
		text, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(a.out)
		return string(text), err
	}
	text, err := a.in.ReadString('\n')
	return strings.TrimSpace(text), err
}

// needs is the error where nobody can be asked: each place with what to type.
func needs(i install, unknown *wpconfig.UnknownError) error {
	var typed []string
	for _, name := range unknown.Asks() {
		typed = append(typed, "--value "+name+"=...")
	}
	return &usageError{
		"some settings are made by PHP, which rowhook does not run:\n" + unknown.Error(),
		fmt.Sprintf("give them by hand: rowhook init --wordpress %s %s", i.path, strings.Join(typed, " ")),
	}
}
