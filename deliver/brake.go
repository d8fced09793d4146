package deliver

import (
	"context"
	"sync"
)

// brakeAt is how many deliveries may be due and undelivered before those who make new ones wait.
const brakeAt = 1000

// brake counts what is due and undelivered on healthy endpoints.
type brake struct {
	mu    sync.Mutex
	n     int
	freed chan struct{} // closed when n falls below brakeAt; nil while nobody waits
	moved chan struct{} // closed when n changes; nil while nobody wants to know
}

func (b *brake) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += n
	if b.moved != nil {
		close(b.moved)
		b.moved = nil
	}
	if b.n < brakeAt && b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}

func (b *brake) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		if b.n < brakeAt {
			b.mu.Unlock()
			return nil
		}
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-freed:
		}
	}
}

// due is how many are due and undelivered.
func (b *brake) due() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// change is closed when due changes.
func (b *brake) change() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.moved == nil {
		b.moved = make(chan struct{})
	}
	return b.moved
}
