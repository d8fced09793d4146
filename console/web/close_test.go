package web

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"rowhook/api"
	"rowhook/outbox/memory"
)

// closing is an outbox that notes whether it is open.
type closing struct {
	*memory.Store
	open *int
}

// Close notes it.
func (l closing) Close() error {
	*l.open--
	return nil
}

// TestClose: the end waits for nobody who opens the outbox, which is closed then and stays so.
func TestClose(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"an outbox that answers": false, "one whose server is away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				open := 0
				c, err := New(Options{
					Status: func(context.Context) (api.Status, error) { return api.Status{}, nil },
					Log: func(ctx context.Context) (Log, error) {
						if away {
							<-ctx.Done()
							return nil, ctx.Err()
						}
						open++
						return closing{memory.New(), &open}, nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				go c.Run(ctx)
				opened := make(chan error)
				go func() {
					_, err := c.open(context.Background()) //nolint:usetesting // somebody who does not go away
					opened <- err
				}()
				synctest.Wait()
				stop()
				if err := <-opened; (err != nil) != away {
					t.Errorf("opening: %v", err)
				}
				if err := c.Close(); err != nil || open != 0 {
					t.Errorf("closing: %v, and %d are open", err, open)
				}
				if _, err := c.open(t.Context()); !errors.Is(err, errClosed) || open != 0 {
					t.Errorf("opening what is closed: %v, and %d are open", err, open)
				}
			})
		})
	}
}
