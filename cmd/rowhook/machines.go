package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"rowhook/outbox"
	"rowhook/rules"
)

// Machines that share an outbox must have the same rules: another one's takeover would hold the deliveries of a rule that it lacks.
// So who works on the outbox writes down which rules it has, and who takes over says so when it has others.

// rulesKey is the setting that holds a machine and the digest of its rule files.
const rulesKey = "rules_of"

// tellRules says that the rules here are not those of the machine that worked on the outbox before, and remembers these.
func (d *daemon) tellRules(ctx context.Context, store outbox.Settings, set *rules.Set) error {
	if !d.cfg.Outbox.MySQL.Used() {
		return nil
	}
	before, err := store.Get(ctx, rulesKey)
	if err != nil {
		return fmt.Errorf("reading whose rules were used: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("finding out the name of this machine: %w", err)
	}
	digest, err := digestOf(set.Files)
	if err != nil {
		return err
	}
	if last, other, err := othersRules(before, set); err == nil && other && last != host {
		d.log.Warn("the rules here are not those of the machine that worked on this outbox before; deliveries of rules that are missing here are held",
			slog.String("machine", last), slog.String("fix", "make the rule files of both machines the same, and send SIGHUP to the one that works; rowhook deliveries list --state held shows what is held"))
	}
	if now := host + " " + digest; now != before {
		return store.CompareAndSet(ctx, rulesKey, before, now)
	}
	return nil
}

// othersRules tells whose rules the setting says were used last, and whether these are others.
func othersRules(before string, set *rules.Set) (host string, other bool, err error) {
	host, was, found := strings.Cut(before, " ")
	digest, err := digestOf(set.Files)
	return host, found && was != digest, err
}

// tellMachines tells the others which rules this one has from now on.
func (d *daemon) tellMachines(ctx context.Context, set *rules.Set) error {
	if d.shares == nil {
		return nil
	}
	who, err := whoOf(d.cfg.Deliver.Only, set)
	if err == nil {
		err = d.shares.Tell(ctx, who)
	}
	if err != nil {
		return fmt.Errorf("telling the other machines which rules this one has: %w", err)
	}
	return nil
}

// digestOf is the same for the same rules, wherever their files lie.
func digestOf(files []string) (string, error) {
	contents := make([][]byte, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the rules once more: %w", err)
		}
		sum := sha256.Sum256(content)
		contents[i] = sum[:]
	}
	slices.SortFunc(contents, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(contents, nil))
	return hex.EncodeToString(sum[:16]), nil
}
