package post

import (
	"context"
	"sync/atomic"
)

// cutter closes the connection that is in use when a context ends. A sender makes many requests under one context, so it
// asks once to be told, not for each of them.
type cutter struct {
	done  <-chan struct{}       // of the context that it watches
	stop  func() bool           // ends that
	inUse *atomic.Pointer[conn] // under that context; holds nil: none is
}

// watch begins the use of a connection under a context.
func (c *cutter) watch(ctx context.Context, used *conn) {
	if c.inUse == nil || c.done != ctx.Done() {
		c.close()
		inUse := new(atomic.Pointer[conn])
		c.done, c.inUse = ctx.Done(), inUse
		c.stop = context.AfterFunc(ctx, func() {
			if used := inUse.Load(); used != nil {
				used.cut()
			}
		})
	}
	c.inUse.Store(used)
	if ctx.Err() != nil { // it may have been told before
		used.cut()
	}
}

// leave ends the use. The connection may have been closed just now: the next look at it will tell.
func (c *cutter) leave() { c.inUse.Store(nil) }

// close watches no more.
func (c *cutter) close() {
	if c.stop != nil {
		c.stop()
	}
	*c = cutter{}
}
