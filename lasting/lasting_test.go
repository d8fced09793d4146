package lasting

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// board is one whose log is kept without times, and whose clock the test moves.
func board(t *testing.T) (b *Board, clock *time.Time, said func() []string) {
	t.Helper()
	var log bytes.Buffer
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	b = New(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "since" {
			return slog.Attr{}
		}
		return a
	}})), func() time.Time { return now })
	return b, &now, func() []string {
		lines := strings.FieldsFunc(log.String(), func(r rune) bool { return r == '\n' })
		log.Reset()
		return lines
	}
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("%s: said is\n%q\nwant\n%q", what, got, want)
	}
}

// TestLasting: of many things in several topics each is said when it begins, each hour by its own clock, and once when it ended.
func TestLasting(t *testing.T) {
	t.Parallel()
	b, now, said := board(t)
	pass := func(d time.Duration) { *now = now.Add(d) }
	rule := Wrong{About: "rule crm", Text: "it waits", Fix: "write id", NeedsYou: true}
	server, log := Wrong{About: "sync_binlog", Text: "check warns", Found: "0"}, Wrong{About: "retention", Text: "check warns", Found: "2 days"}
	const ruleLine, serverLine, logLine = `level=ERROR msg="it waits" about="rule crm" fix="write id"`, `level=WARN msg="check warns" about=sync_binlog found=0`,
		`level=WARN msg="check warns" about=retention found="2 days"`

	b.Found("server", server, log, server)
	expect(t, "at first", said(), serverLine, logLine)
	pass(20 * time.Minute)
	b.Found("keys", rule)
	expect(t, "a topic of its own", said(), ruleLine)
	log.Found = "47 hours" // what is found moves: that is no news
	b.Found("server", server, log)
	b.Found("keys", rule)
	expect(t, "found again", said())
	if wait := b.Repeat(); wait != 40*time.Minute {
		t.Errorf("the next is to be said after %s", wait)
	}
	expect(t, "too early", said())

	pass(40 * time.Minute)
	if wait := b.Repeat(); wait != 20*time.Minute {
		t.Errorf("the next is to be said after %s", wait)
	}
	expect(t, "after an hour", said(), serverLine, strings.Replace(logLine, "2 days", "47 hours", 1))
	b.Found("server", server)
	expect(t, "one has ended", said(), `level=INFO msg="what was wrong has ended" about=retention was="check warns" after=1h0m0s`)
	pass(20 * time.Minute)
	b.Repeat()
	expect(t, "an hour after that of the other topic", said(), ruleLine)

	b.Asked()
	if wait := b.Repeat(); wait != 40*time.Minute {
		t.Errorf("what nobody has looked at yet is repeated after %s", wait)
	}
	expect(t, "nobody has looked yet", said())
	b.Found("keys", rule)
	b.Found("server")
	expect(t, "a person asked", said(), ruleLine, `level=INFO msg="what was wrong has ended" about=sync_binlog was="check warns" after=1h20m0s`)
	if list := b.List(); len(list) != 1 || list[0].About != "rule crm" || now.Sub(list[0].Since) != time.Hour {
		t.Errorf("there is %+v", list)
	}
	b.Forget("keys")
	pass(2 * time.Hour)
	b.Repeat()
	expect(t, "forgotten", said())
	b.Found("keys", rule)
	expect(t, "it begins anew", said(), ruleLine)
}

// TestAsked: what a person asks about is said once when it is found again, and each hour where nobody looks for it any more.
func TestAsked(t *testing.T) {
	t.Parallel()
	b, now, said := board(t)
	pass := func(d time.Duration) { *now = now.Add(d) }
	socket, idle, key := Wrong{About: "commands", Text: "they do not arrive"}, Wrong{About: "the log", Text: "nobody follows it"}, Wrong{About: "key", Text: "it is not there"}
	const socketLine, idleLine, keyLine = `level=WARN msg="they do not arrive" about=commands`, `level=WARN msg="nobody follows it" about="the log"`, `level=WARN msg="it is not there" about=key`
	b.Found("commands", socket)
	b.Found("keys", key)
	pass(10 * time.Minute)
	b.Found("idle", idle)
	said()

	pass(10 * time.Minute)
	for range 2 {
		b.Asked()
	}
	b.Found("keys", key)
	expect(t, "what is found again", said(), keyLine)
	b.Found("keys", key)
	expect(t, "it was said", said())
	pass(40 * time.Minute)
	b.Repeat()
	expect(t, "an hour after the first was said", said(), socketLine)
	pass(10 * time.Minute)
	b.Repeat()
	expect(t, "after that of the second", said(), idleLine)
	pass(10 * time.Minute)
	b.Found("keys", key)
	b.Repeat()
	expect(t, "after that which was found", said(), keyLine)
	b.Found("commands", socket)
	expect(t, "that the hour said it is answer enough", said())
	pass(time.Hour)
	b.Repeat()
	if lines := said(); len(lines) != 3 {
		t.Errorf("an hour later %q are said", lines)
	}
}

// TestUnseen: what could not be looked at has not ended, and nothing is new of what was not wrong.
func TestUnseen(t *testing.T) {
	t.Parallel()
	b, now, said := board(t)
	one, two := Wrong{About: "one", Text: "it is not there", Found: "a"}, Wrong{About: "two", Text: "it is not there", Found: "b"}
	const oneLine, twoLine = `level=WARN msg="it is not there" about=one found=a`, `level=WARN msg="it is not there" about=two found=b`
	b.Found("keys", one, two)
	said()
	*now = now.Add(time.Hour)
	b.Found("keys", two, Wrong{About: "one", Unseen: true}, Wrong{About: "two", Unseen: true}, Wrong{About: "three", Unseen: true})
	expect(t, "one cannot be seen", said())
	b.Repeat()
	if lines := said(); len(lines) != 2 {
		t.Errorf("after an hour %q are said", lines)
	}
	b.Asked()
	b.Found("keys", two, Wrong{About: "one", Unseen: true})
	expect(t, "a person asked", said(), twoLine, oneLine)
	b.Found("keys", Wrong{About: "one", Unseen: true})
	expect(t, "the other ended", said(), `level=INFO msg="what was wrong has ended" about=two was="it is not there" after=1h0m0s`)
	if list := b.List(); len(list) != 1 || list[0].Unseen || list[0].Found != "a" || now.Sub(list[0].Since) != time.Hour {
		t.Errorf("there is %+v", list)
	}
	b.Found("keys")
	expect(t, "it is seen again", said(), `level=INFO msg="what was wrong has ended" about=one was="it is not there" after=1h0m0s`)
}

// TestTold: what says itself when it begins and ends is only repeated.
func TestTold(t *testing.T) {
	t.Parallel()
	b, now, said := board(t)
	down := Wrong{About: "endpoint crm", Text: "it is down", Told: true}
	b.Found("status", down)
	b.Asked()
	b.Found("status", down)
	expect(t, "at first", said())
	for range 2 {
		*now = now.Add(time.Hour)
		b.Repeat()
		expect(t, "after an hour", said(), `level=WARN msg="it is down" about="endpoint crm"`)
	}
	b.Found("status")
	expect(t, "at the end", said())
}

// TestRun: a day of it, with one thing that comes while it waits.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := New(slog.New(slog.NewTextHandler(&log, nil)), time.Now)
		b.Found("a", Wrong{About: "first"})
		ctx, stop := context.WithTimeout(t.Context(), 24*time.Hour+time.Second)
		defer stop()
		later := time.AfterFunc(90*time.Minute, func() { b.Found("b", Wrong{About: "second"}) })
		defer later.Stop()
		b.Run(ctx)
		for about, want := range map[string]int{"first": 25, "second": 23} {
			if got := strings.Count(log.String(), "about="+about); got != want {
				t.Errorf("%s is said %d times within a day, want %d", about, got, want)
			}
		}
	})
}
