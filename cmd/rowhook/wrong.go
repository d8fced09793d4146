package main

import (
	"context"
	"strings"
	"time"

	"rowhook/cdc"
	"rowhook/lasting"
	"rowhook/retry"
)

// The topics of what is wrong and lasts: each has one who looks after it.
const (
	wrongFiles     = "files"           // who may read and change them
	wrongReload    = "reload"          // files that were not taken over at SIGHUP
	wrongRestart   = "restart"         // keys that are taken over only by a restart
	wrongCommands  = "commands"        // they do not reach the daemon
	wrongStatus    = "status"          // what `rowhook status` shows
	wrongServer    = "server"          // what preflight finds
	wrongTables    = "tables"          // that rules name
	wrongKeys      = "keys"            // columns that rules name as keys
	wrongColumns   = "columns"         // and otherwise
	wrongSpared    = "spared columns"  // and whose lack is no harm
	wrongRuleSites = "sites of rules"  //
	wrongUnseen    = "unseen sites"    // that the log shows
	wrongUnused    = "unused settings" // of endpoints
	wrongIdle      = "idle"            // nobody follows the log
)

// forgetHeld forgets what only the process knows that holds the outbox.
func (d *daemon) forgetHeld() {
	d.wrong.Forget(wrongServer, wrongTables, wrongKeys, wrongColumns, wrongSpared, wrongRuleSites, wrongUnseen, wrongUnused, wrongIdle)
}

// asWrong are findings that are not as they should be, as what lasts.
func asWrong(text string, findings []cdc.Finding) (all []lasting.Wrong) {
	for _, f := range findings {
		if !f.OK || f.Warn {
			all = append(all, lasting.Wrong{About: f.Check, Text: text, Found: f.Found, Fix: f.Fix})
		}
	}
	return all
}

// warnExposed says what checkFiles warns of.
func (d *daemon) warnExposed() {
	var exposed []cdc.Finding
	for _, f := range checkFiles(d.cfg, d.file, d.set) {
		if f.Warn {
			exposed = append(exposed, f)
		}
	}
	d.wrong.Found(wrongFiles, asWrong("rowhook check warns of a file", exposed)...)
}

// notReloaded says that files were not taken over, or, of no error, that they were.
func (d *daemon) notReloaded(err error) {
	if err == nil {
		d.wrong.Found(wrongReload)
		return
	}
	d.wrong.Found(wrongReload, lasting.Wrong{About: "reload", Text: "the rules are not reloaded, the old ones stay", Found: err.Error(), Fix: seeValidate, NeedsYou: true})
}

// warnServer says what preflight warns of. Sites whose tables are not as they must be watchUnfit names.
func (f *follower) warnServer(findings []cdc.Finding) {
	f.wrong.Found(wrongServer, asWrong("rowhook check warns of the database", findings)...)
}

// lookAtFiles looks at what a process that follows no log can look at.
func (h *holder) lookAtFiles() {
	h.warnExposed()
	h.tellUnused()
}

// lookAgain looks each hour, and when a person asks, whether what was wrong is as it should be.
func (f *follower) lookAgain(ctx context.Context) {
	f.warnExposed()
	f.tellRuleSites()
	f.tellUnused()
	checker, w := f.source.Preflight(), watchOf(f.cfg, f.set) // of the rules of now, which the reader takes over with its next transaction
	checker.Tables, checker.Optional, checker.Prefixes = w.Tables, w.Optional, w.Prefixes
	findings, err := checker.Check(ctx)
	if err != nil {
		return // the database is away, which its readers say
	}
	var warn []cdc.Finding
	for _, is := range findings {
		if is.Warn || !is.OK && is.Schema == "" {
			warn = append(warn, is)
		}
	}
	f.warnServer(warn)
	f.tellColumns(ctx)
}

// tellColumns says which rules name columns that their tables do not have, or tables that are nearly there.
func (f *follower) tellColumns(ctx context.Context) {
	wrong := map[string][]lasting.Wrong{wrongTables: nil, wrongKeys: nil, wrongColumns: nil, wrongSpared: nil}
	for _, is := range misnamedIn(ctx, f.source, f.cfg, f.set) {
		about := "rule " + is.rule + ", in schema " + is.schema
		if is.unseen {
			for topic, list := range wrong {
				wrong[topic] = append(list, lasting.Wrong{About: about, Unseen: true})
			}
			continue
		}
		topic, text := wrongColumns, "a rule names a column that is not there: its events are given up"
		switch {
		case is.table:
			topic, text = wrongTables, "a rule waits for a table, and there is one whose name is nearly that"
		case is.key:
			topic, text = wrongKeys, "a rule waits, for its key names a column that is not there"
		case is.spared:
			topic, text = wrongSpared, "a rule keeps or hides a column that is not there"
		}
		list := wrong[topic]
		if n := len(list); n > 0 && list[n-1].About == about { // several columns
			list[n-1].Found += "; " + is.found
			continue
		}
		wrong[topic] = append(list, lasting.Wrong{About: about, Text: text, Found: is.found, Fix: is.fix + "; then send SIGHUP", NeedsYou: !is.spared && !is.table})
	}
	for topic, list := range wrong {
		f.wrong.Found(topic, list...)
	}
}

// tellUnused says which endpoints of the configuration no rule posts to.
func (h *holder) tellUnused() {
	var wrong []lasting.Wrong
	for _, name := range unused(h.cfg.Deliver.Endpoints, h.set) {
		wrong = append(wrong, lasting.Wrong{About: "endpoint " + name, Text: "no rule posts to this endpoint of deliver.endpoints",
			Fix: "correct it, or remove it from the configuration, and restart rowhook"})
	}
	h.wrong.Found(wrongUnused, wrong...)
}

// tellRestart says which keys of the configuration were changed and are not taken over.
func (d *daemon) tellRestart(keys []string) {
	if len(keys) == 0 {
		d.wrong.Found(wrongRestart)
		return
	}
	d.wrong.Found(wrongRestart, lasting.Wrong{About: "configuration", Text: "keys of the configuration were changed, which takes a restart",
		Found: strings.Join(keys, ", "), Fix: "systemctl restart rowhook", NeedsYou: true})
}

// troublesEvery is how often it is looked which troubles last that are said only when they begin.
const troublesEvery = 5 * time.Minute

// keepTelling has those troubles repeated that `rowhook status` shows and nobody else says each hour.
func (d *daemon) keepTelling(ctx context.Context) {
	for retry.Pause(ctx, troublesEvery) == nil {
		d.tellTroubles(ctx)
	}
}

func (d *daemon) tellTroubles(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, statusWithin)
	defer stop()
	if s, err := d.monitor.daemon.Status(ctx); err == nil { // else a part does not answer, which is said elsewhere
		d.wrong.Found(wrongStatus, s.Lasting(time.Now())...)
	}
}

// statusWithin is how long the parts may take to answer.
const statusWithin = 10 * time.Second
