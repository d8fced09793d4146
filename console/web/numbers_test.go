package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"rowhook/api"
	"rowhook/outbox"
)

// TestOwnNumbers: whoever sees some sites sees how much waits and what was given up where that is theirs alone, and where it is not, no
// number, rather than none.
func TestOwnNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.settle(w.commit("zap-new-bookings", "spa", "appointment/1", "appointment.save", `{}`), outbox.Dead, 9, nil)
		w.settle(w.commit("status-board", "spa", "appointment/1", "appointment.status_change", `{}`), outbox.Dead, 9, nil)
	}
	w.settle(w.commit("own-crm", "spa", "customer/1", "customer.delete", `{}`), outbox.Delivered, 1, nil)
	for range 12 {
		w.commit("own-crm", "spa", "customer/2", "customer.delete", `{}`)
		w.commit("status-board", "salon", "appointment/2", "appointment.status_change", `{}`)
	}
	w.recount()
	b := w.login("bea", "spa")
	b.get("/endpoints?open="+zaps).shows(t, "zaps.example.com 2 rules up", "12 60 min 3", "Waiting 12 deliveries,")
	shared := b.get("/endpoints?open=" + board)
	shared.shows(t, "hooks.example.com 1 rule up", "yours – yours –")
	if row := between(shared.body, `<tr id="`+board, "</tr>"); row == "" || strings.Count(row, ">0<") > 0 || strings.Contains(row, ">12<") {
		t.Errorf("the row of an endpoint of all sites is %s", row)
	}
	b.get("/rules").shows(t, "Your deliveries How many all sites have is not shown", "1 delivered on record · 12 waiting", "None delivered on record · 3 dead letters")
	w.login("").get("/rules").shows(t, "12 waiting · 3 dead letters")
}

// TestOutboxAway: without the outbox the front page and the endpoints still say how all does, soon, and what cannot be shown; what is not
// known is not shown as none.
func TestOutboxAway(t *testing.T) {
	t.Parallel()
	for name, opens := range map[string]func(context.Context) (Log, error){
		"its server refuses": func(context.Context) (Log, error) { return nil, errors.New("connection refused") },
		"its server is silent": func(ctx context.Context) (Log, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.opens = opens
			well := w.status
			b := w.login("")
			for path, says := range map[string]string{"/": "Nothing yet:", "/endpoints?open=" + crm: "3 endpoints: 3 up."} {
				page := b.get(path)
				if page.shows(t, says, "What was counted by the hour cannot be shown:"); page.status != http.StatusOK {
					t.Errorf("%s: %d", path, page.status)
				}
			}
			w.mu.Lock()
			w.status = api.Status{StandsBy: true}
			w.mu.Unlock()
			w.console.live.tell(api.Status{StandsBy: true}, nil)
			b.get("/").shows(t, "Standing by: the server with the outbox does not answer", "Waiting – not known", "Delivered – not known", "Dead letters – not known")
			w.console.live.tell(well, nil)
			w.login("anna", "salon").get("/").shows(t, "Waiting – not counted yet", "Dead letters – not counted yet")
		})
	}
}

// TestOpensOnce: who gave up waiting for the outbox leaves it open for those who come later.
func TestOpensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answers, times := make(chan struct{}), 0
	ctx, stop := context.WithCancel(t.Context())
	w.opens = func(context.Context) (Log, error) {
		times++
		stop()
		<-answers
		return w.store, nil
	}
	if _, err := w.console.open(ctx); err == nil {
		t.Error("it waited")
	}
	close(answers)
	for range 3 {
		if _, err := w.console.open(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if times > 1 {
		t.Errorf("it was opened %d times", times)
	}
}
