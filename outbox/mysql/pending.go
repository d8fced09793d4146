package mysql

import (
	"maps"
	"time"

	"rowhook/outbox"
)

// maxPending bounds the outcomes kept in memory while they cannot be written, in bytes.
const maxPending = 8 << 20

// outcome is an outcome that is not written yet.
type outcome struct {
	outbox.Outcome
	at    time.Duration // uptime when it was recorded
	hour  int64         // then, counted from 1970 on
	entry *entry        // its delivery, if that was in memory and fresh
}

func (o *outcome) size() int {
	n := 160
	if o.Attempt != nil {
		n += 96 + len(o.Attempt.Error) + len(o.Attempt.Response)
	}
	return n
}

// atOnce tells whether a fresh delivery was accepted at its first attempt: then there is nothing to tell but that.
func (o *outcome) atOnce() bool { return o.State == outbox.Delivered && o.Attempts <= 1 }

// pending are the outcomes that are not written yet, in order, among them those that are being written.
type pending struct {
	list   []*outcome
	latest map[int64]*outcome // by Seq
	bytes  int
	room   chan struct{} // closed, and made anew, when some were written
}

func newPending() pending {
	return pending{latest: make(map[int64]*outcome), room: make(chan struct{})}
}

func (p *pending) add(o *outcome) {
	p.list = append(p.list, o)
	p.latest[o.Seq] = o
	p.bytes += o.size()
}

// written forgets the first n outcomes.
func (p *pending) written(n int) {
	for i, o := range p.list[:n] {
		p.bytes -= o.size()
		if p.latest[o.Seq] == o {
			delete(p.latest, o.Seq)
		}
		p.list[i] = nil
	}
	if p.list = p.list[n:]; len(p.list) == 0 {
		p.list = nil
	}
	if n > 0 {
		p.makeRoom()
	}
}

// makeRoom lets those look again who wait for room.
func (p *pending) makeRoom() {
	close(p.room)
	p.room = make(chan struct{})
}

// snapshot is what is pending, by Seq.
func (p *pending) snapshot() map[int64]*outcome { return maps.Clone(p.latest) }

// apply makes a delivery show an outcome that is not written yet. It tells whether it is undelivered still.
func (o *outcome) apply(d *outbox.Stored) bool {
	if o.State != outbox.Waiting {
		return false
	}
	d.State, d.Attempts, d.Due = o.State, o.Attempts, outbox.Kept(o.Due)
	if o.Attempt != nil {
		a := *o.Attempt
		d.Last = &a
	}
	return true
}
