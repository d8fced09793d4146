// Package pending is what stores share that gather outcomes in memory: the outcomes that wait to be written, and what writes
// those that find no commit to ride on.
package pending

import (
	"maps"
	"slices"
)

// MaxBytes bounds the outcomes kept in memory while they cannot be written, in bytes.
const MaxBytes = 8 << 20

// Outcomes are the outcomes that are not written yet, in order, among them those that are being written. Make them with New;
// whoever has them guards them with a lock.
type Outcomes[D any] struct {
	list   []*Outcome[D]
	latest map[int64]*Outcome[D] // by Seq
	bytes  int
	room   chan struct{} // closed, and made anew, when some were written
	failed error         // why they will never be written
}

// New returns an empty list.
func New[D any]() *Outcomes[D] {
	return &Outcomes[D]{latest: make(map[int64]*Outcome[D]), room: make(chan struct{})}
}

// Add appends an outcome.
func (p *Outcomes[D]) Add(o *Outcome[D]) {
	p.list = append(p.list, o)
	p.latest[o.Seq] = o
	p.bytes += o.size()
}

// Len is how many there are.
func (p *Outcomes[D]) Len() int { return len(p.list) }

// All returns the outcomes as they are now, in order.
func (p *Outcomes[D]) All() []*Outcome[D] { return slices.Clip(p.list) }

// Latest returns the last outcome of each delivery, by Seq, as they are now.
func (p *Outcomes[D]) Latest() map[int64]*Outcome[D] { return maps.Clone(p.latest) }

// Room returns nil when there is room for more, otherwise a channel that is closed when it is worth asking again.
func (p *Outcomes[D]) Room() <-chan struct{} {
	if p.bytes < MaxBytes {
		return nil
	}
	return p.room
}

// Written forgets the first n outcomes.
func (p *Outcomes[D]) Written(n int) {
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
		p.wakeAll()
	}
}

// Fail is for when outcomes will never be written: who waits for room need not.
func (p *Outcomes[D]) Fail(err error) {
	p.failed = err
	p.wakeAll()
}

// Failed returns why outcomes will never be written, nil as long as they are.
func (p *Outcomes[D]) Failed() error { return p.failed }

// wakeAll lets those look again who wait for room.
func (p *Outcomes[D]) wakeAll() {
	close(p.room)
	p.room = make(chan struct{})
}
