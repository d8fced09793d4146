package main

import (
	"context"
	"fmt"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/outbox/mysql"
	"rowhook/rules"
)

// checkMachines looks at who shares the outbox, and whose rules are others.
func checkMachines(ctx context.Context, c *config.Config, set *rules.Set) (findings []cdc.Finding) {
	if !c.Outbox.MySQL.Used() {
		return nil
	}
	log, err := mysql.OpenLog(ctx, sharedOutbox{c}.server())
	if err != nil {
		return nil // checkOutbox says why, or no machine ran yet
	}
	defer log.Close() //nolint:errcheck // it was read only
	all, err := log.Machines(ctx)
	if err != nil {
		return nil
	}
	const same = "make the rule files of all machines the same; then on the one that was behind: systemctl reload rowhook"
	holder := ""
	for _, m := range all {
		if m.Holds {
			holder = m.Name
		}
		if !m.SameRules {
			findings = append(findings, cdc.Finding{Check: "machines", OK: true, Warn: true, Found: m.Name + " has other rules than the one that holds the outbox, and delivers nothing", Fix: same})
		}
	}
	findings = append(findings, cdc.Finding{Check: "machines", OK: true, Found: fmt.Sprintf("%d share the outbox; held by %s", len(all), or(holder, "none at this moment"))})
	before, err := log.Get(ctx, rulesKey)
	if err != nil {
		return findings
	}
	if host, other := othersRules(before, set); other {
		findings = append(findings, cdc.Finding{Check: "machines", OK: true, Warn: true, Found: "the rule files here are not those of " + host + ", which held the outbox last", Fix: same})
	}
	return findings
}
