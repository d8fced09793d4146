package retry

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestTroubleIsSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var trouble Trouble
		a, b := errors.New("a"), errors.New("b")
		said := func(err error, want bool) {
			t.Helper()
			if got := trouble.Worth(err); got != want {
				t.Errorf("%v after %s is said: %t", err, time.Since(trouble.Since()), got)
			}
		}
		said(a, true)
		said(a, false)
		said(b, true) // what it becomes is said at once
		for range 5 { // errors that take turns are not
			time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
			said(a, false)
			said(b, false)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		said(a, true)
		said(b, true)
		lines := 0
		for i := range 3600 { // an error that is ever another one
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble
			if trouble.Worth(fmt.Errorf("%d", i)) {
				lines++
			}
		}
		if lines > 60+manySaid {
			t.Errorf("%d lines within an hour", lines)
		}
		if _, was := trouble.Over(); !was || trouble.Worth(a) != true {
			t.Error("it begins anew when it was over")
		}
	})
}
