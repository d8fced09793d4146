package main

import (
	"context"
	"testing"
	"testing/synctest"
)

// TestKeepLooking: it is looked again as long as the daemon runs, and not all the time.
func TestKeepLooking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*looksEvery+1)
		defer stop()
		looks := 0
		keepLooking(ctx, func() { looks++ })
		if looks != 10 {
			t.Errorf("it looked %d times", looks)
		}
	})
}
