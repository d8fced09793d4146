package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"

	"rowhook/api/control"
	"rowhook/config"
	"rowhook/pipeline"
	"rowhook/printable"
)

const (
	lookEvery   = 250 * time.Millisecond // at a backfill that is followed
	lineEvery   = 5 * time.Second        // between two lines of progress where there is no terminal
	daemonGrace = time.Minute            // for a daemon that is gone, to come back
)

// followBackfill starts or resumes a run, and shows how far it is until it ends.
func followBackfill[In any](ctx context.Context, c *config.Config, client *control.Client, what string, in In, asJSON bool, stdout io.Writer) error {
	r, err := control.Ask[In, pipeline.Run](ctx, client, what, in)
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return noDaemon(c)
	case err != nil:
		return wrongUsage(err)
	}
	p := progress{w: stdout, asJSON: asJSON, from: r, began: time.Now()}
	p.begin(r)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	answered := time.Now()
	for r.State == pipeline.Running {
		select {
		case <-ctx.Done():
			p.leave(r)
			return errReported
		case <-tick.C:
		}
		found, err := look(ctx, client, r.ID)
		switch {
		case ctx.Err() != nil: // the next turn says so
		case errors.Is(err, errUnknownRun):
			return err
		case err != nil && time.Since(answered) < daemonGrace:
			r.Trouble = "the daemon does not answer; waiting for it"
			p.show(r)
		case err != nil:
			return fmt.Errorf("the daemon is gone; it goes on with the backfill when it runs again: %w", err)
		default:
			r, answered = found, time.Now()
			p.show(r)
		}
	}
	return p.end(r)
}

var errUnknownRun = errors.New("the daemon does not know this backfill any more")

// look asks how a run stands.
func look(ctx context.Context, client *control.Client, id string) (pipeline.Run, error) {
	runs, err := control.Ask[struct{}, []pipeline.Run](ctx, client, backfillStatus, struct{}{})
	if err != nil {
		return pipeline.Run{}, err
	}
	i := slices.IndexFunc(runs, func(r pipeline.Run) bool { return r.ID == id })
	if i < 0 {
		return pipeline.Run{}, fmt.Errorf("%w: %s", errUnknownRun, id)
	}
	if first := slices.IndexFunc(runs, func(r pipeline.Run) bool { return r.State == pipeline.Running }); first < i && first >= 0 {
		runs[i].Trouble = fmt.Sprintf("waits until the backfill %s of rule %s is done", runs[first].ID, runs[first].Rule)
	}
	return runs[i], nil
}

// progress shows a run as it goes on: a bar on a terminal, lines elsewhere, JSON for programs.
type progress struct {
	w      io.Writer
	asJSON bool
	bar    *progressbar.ProgressBar // nil where there is no terminal
	from   pipeline.Run             // as it was when we began to look
	began  time.Time
	line   time.Time // when the last line was written
	last   pipeline.Run
}

func (p *progress) begin(r pipeline.Run) {
	if p.asJSON {
		p.show(r)
		return
	}
	p.line = time.Now()
	fmt.Fprintf(p.w, "backfill %s of rule %s: %d rows\n", r.ID, r.Rule, r.Total-r.Read)
	if isTerminal(p.w) {
		p.bar = newBar(p.w, max(r.Total, 1))
	}
}

// show writes what has changed since it was called last.
func (p *progress) show(r pipeline.Run) {
	same := r.Read == p.last.Read && r.State == p.last.State && r.Trouble == p.last.Trouble
	trouble := r.Trouble != p.last.Trouble
	p.last = r
	switch {
	case p.bar != nil && r.State == pipeline.Running:
		p.bar.Describe(printable.Line(r.Trouble))
		_ = p.bar.Set64(min(r.Read, p.bar.GetMax64()-1)) // rows come while it goes on; its end is said below
	case p.bar != nil || same:
	case p.asJSON:
		_ = writeJSONLine(p.w, r) // who looks may have gone
	case r.State == pipeline.Running && (trouble && r.Trouble != "" || time.Since(p.line) >= lineEvery):
		p.line = time.Now()
		fmt.Fprintln(p.w, p.text(r))
	}
}

// text says how far it is, and how long it may take.
func (p *progress) text(r pipeline.Run) string {
	text := fmt.Sprintf("%d of %d rows", r.Read, r.Total)
	if r.Trouble != "" {
		return text + ": " + printable.Line(r.Trouble)
	}
	done, took := r.Read-p.from.Read, time.Since(p.began)
	if done <= 0 || took < time.Second {
		return text
	}
	perSecond := float64(done) / took.Seconds()
	left := time.Duration(float64(max(r.Total-r.Read, 0)) / perSecond * float64(time.Second))
	return fmt.Sprintf("%s, %.0f/s, about %v left", text, perSecond, left.Round(time.Second))
}

// leave is for who does not want to look any longer.
func (p *progress) leave(r pipeline.Run) {
	if p.asJSON {
		return
	}
	p.leaveBar()
	fmt.Fprintf(p.w, "The daemon goes on with it. How far it is: rowhook backfill --status; to end it: rowhook backfill --stop %s\n", r.ID)
}

// leaveBar takes the bar away.
func (p *progress) leaveBar() {
	if p.bar != nil {
		_ = p.bar.Clear() // who looks may have gone
	}
}

// end says what came of it.
func (p *progress) end(r pipeline.Run) error {
	if p.asJSON {
		p.show(r)
	} else {
		p.leaveBar()
		said := fmt.Sprintf("%s: %d rows, %d saves", r.State, r.Read, r.Made)
		if r.Live > 0 {
			said += fmt.Sprintf(", %d left to live saves", r.Live)
		}
		if r.Left > 0 {
			said += fmt.Sprintf(", %d not wanted by the rule", r.Left)
		}
		if r.State == pipeline.Done && r.Made > 0 {
			said += fmt.Sprintf("; how they go: rowhook deliveries list --rule %s", r.Rule)
		}
		fmt.Fprintln(p.w, said)
	}
	switch r.State {
	case pipeline.Failed:
		return errors.New(r.Error)
	case pipeline.Stopped:
		return fmt.Errorf("it was stopped; to go on: rowhook backfill --resume %s", r.ID)
	}
	return nil
}

// isTerminal says whether a person looks at what is written, or types what is read.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
