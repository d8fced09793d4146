package connect

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch: an address is given up when all answers leave it out for a minute, and not for what only looks like it.
func TestWatch(t *testing.T) {
	t.Parallel()
	const here, there, third = "10.0.0.1", "10.0.0.2", "10.0.0.3"
	for name, c := range map[string]struct {
		answer func(n int) []string // to the nth lookup; nil: it fails
		after  time.Duration        // 0: never
	}{
		"the same":             {func(int) []string { return []string{here} }, 0},
		"one of several":       {func(int) []string { return []string{there, here} }, 0},
		"written otherwise":    {func(int) []string { return []string{"::ffff:" + here} }, 0},
		"another":              {func(int) []string { return []string{there} }, time.Minute},
		"two others":           {func(n int) []string { return [][]string{{there, third}, {third, there}}[n%2] }, time.Minute},
		"nobody answers":       {func(int) []string { return nil }, 0},
		"in turns":             {func(n int) []string { return [][]string{{here}, {there}}[n%2] }, 0},
		"in turns, without us": {func(n int) []string { return [][]string{{there}, {third}}[n%2] }, 0},
		"elsewhere for a while": {func(n int) []string {
			if n%20 < 11 {
				return []string{there}
			}
			return []string{here}
		}, 0},
		"after a failure": {func(n int) []string {
			if n < 4 {
				return nil
			}
			return []string{there}
		}, 80 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				n := -1
				lookup := func(context.Context) ([]netip.Addr, error) {
					n++
					var found []netip.Addr
					for _, a := range c.answer(n) {
						found = append(found, netip.MustParseAddr(a))
					}
					if found == nil {
						return nil, errors.New("no such host")
					}
					return found, nil
				}
				began, w := time.Now(), &watch{}
				w.run(ctx, Pace{}.orStandard(), netip.MustParseAddr(here), lookup)
				switch lasted := time.Since(began); {
				case c.after == 0 && w.moved != nil:
					t.Errorf("given up after %s for %v", lasted, w.moved)
				case c.after != 0 && (lasted != c.after || slices.Contains(w.moved, netip.MustParseAddr(here)) || w.moved == nil):
					t.Errorf("after %s: %v", lasted, w.moved)
				}
			})
		})
	}
}

// TestUnknownName: where the name is at fault, the advice is about the name.
func TestUnknownName(t *testing.T) {
	t.Parallel()
	server := New(Config{Address: "no.such.host.invalid:3306", Resolver: &net.Resolver{
		PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody to ask") },
	}})
	_, err := server.DialLog(t.Context())
	if CauseOf(err) != Unreachable || !strings.Contains(server.Advice(err), "getent hosts no.such.host.invalid") {
		t.Errorf("%v: %s", err, server.Advice(err))
	}
}
