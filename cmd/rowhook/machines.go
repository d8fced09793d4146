package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"rowhook/outbox"
	"rowhook/rules"
)

// Machines that share an outbox must have the same rules: another one's takeover would hold the deliveries of a rule that it lacks.
// So who works on the outbox writes down which rules it has, and who takes over says so when it has others.

// rulesKey is the setting that holds a machine and the digest of its rule files.
const rulesKey = "rules_of"

// tellRules says that the rules here are not those of the machine that worked on the outbox before, and remembers these.
func (d *daemon) tellRules(ctx context.Context, store outbox.Settings) error {
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
	if last, other := othersRules(before, d.set); other && last != host {
		d.log.Warn("the rules here are not those of the machine that worked on this outbox before; deliveries of rules that are missing here are held",
			slog.String("machine", last), slog.String("fix", "make the rule files of both machines the same, and send SIGHUP to the one that works; rowhook deliveries list --state held shows what is held"))
	}
	if now := host + " " + d.set.Digest; now != before {
		return store.CompareAndSet(ctx, rulesKey, before, now)
	}
	return nil
}

// othersRules tells whose rules the setting says were used last, and whether these are others.
func othersRules(before string, set *rules.Set) (host string, other bool) {
	host, was, found := strings.Cut(before, " ")
	return host, found && was != set.Digest
}

// tellMachines tells the others which rules this one has from now on.
func (h *holder) tellMachines(ctx context.Context) error {
	if h.tenure.shared == nil {
		return nil
	}
	if err := h.tenure.shared.Tell(ctx, whoOf(h.cfg, h.set)); err != nil {
		return fmt.Errorf("telling the other machines which rules this one has: %w", err)
	}
	return nil
}
