package outboxtest

import (
	"slices"
	"testing"
	"time"

	"rowhook/outbox"
)

// routeNumbers: each endpoint numbers its own, 1, 2, 3, whatever lies between; the routes outlast the process.
func routeNumbers(t *testing.T, h *harness) {
	for range 2 {
		h.commitFor("crm", "chat", "slack", "chat", "crm")
		h.reopen()
	}
	for endpoint, want := range map[string]int64{"a": 6, "b": 4} {
		list := h.pending(endpoint)
		for i, d := range list {
			if d.Number != int64(i+1) || d.Endpoint != endpoint {
				t.Errorf("the %d. of %s is number %d of %q", i+1, endpoint, d.Number, d.Endpoint)
			}
		}
		if int64(len(list)) != want {
			t.Errorf("%s has %d, want %d", endpoint, len(list), want)
		}
	}
	if moved := h.route("crm", "a", "slack", "a", "chat", "b"); moved != (outbox.Moved{}) {
		t.Errorf("the same routes again moved %+v", moved)
	}
}

// routeHold: what nothing sends anywhere is held, until its rule is there again; what was settled stays as it is.
func routeHold(t *testing.T, h *harness) {
	list := h.commitFor("crm", "slack", "slack", "slack", "crm", "gone")
	h.settle(failed(list[1], outbox.Waiting, 2, moment), delivered(list[2]))
	h.wantState(list[5], outbox.Held)
	if moved := h.route("crm", "a"); moved != (outbox.Moved{Held: 2}) {
		t.Errorf("without slack and chat: %+v", moved)
	}
	for range 2 {
		h.wantState(list[1], outbox.Held)
		h.wantState(list[2], outbox.Delivered)
		h.wantState(list[3], outbox.Held)
		wantSame(t, "what is left", h.pending("a"), list[0], list[4])
		h.reopen()
	}
	later := h.commitFor("slack", "crm")
	h.wantState(later[0], outbox.Held)
	if moved := h.route("crm", "a", "slack", "b", "gone", "c"); moved != (outbox.Moved{Released: 4}) {
		t.Errorf("with them again: %+v", moved)
	}
	for range 2 {
		wantSame(t, "as before", h.pending("a"), list[0], list[4], later[1])
		wantSame(t, "released", h.pending("b"), list[1], list[3], later[0])
		wantSame(t, "never routed before", h.pending("c"), list[5])
		if got := h.pending("b"); !slices.Equal(numbers(got), []int64{1, 2, 3}) || got[0].State != outbox.Waiting || got[0].Attempts != 2 ||
			got[1].State != outbox.Fresh {
			t.Errorf("released are %+v, %+v", got[0], got[1])
		}
		h.reopen()
	}
}

func (h *harness) wantState(d *outbox.Delivery, want outbox.State) {
	h.Helper()
	if got := h.stored(d).State; got != want {
		h.Errorf("delivery %d is %v, want %v", d.Seq, got, want)
	}
}

// routeMove: what goes elsewhere now lies behind what is there, in its order, and keeps what became of it.
func routeMove(t *testing.T, h *harness) {
	list := h.commitFor("crm", "slack", "chat", "crm", "slack", "slack")
	h.settle(failed(list[1], outbox.Waiting, 1, moment), failed(list[4], outbox.Dead, 9, moment))
	if moved := h.route("crm", "a", "slack", "b", "chat", "b"); moved != (outbox.Moved{Rerouted: 2}) {
		t.Errorf("moved %+v", moved)
	}
	added := h.commitFor("slack", "crm")
	for range 2 {
		wantSame(t, "where it was", h.pending("a"), list[0], list[3], added[1])
		wantSame(t, "where it is", h.pending("b"), list[2], list[1], list[5], added[0])
		if got := numbers(h.pending("b")); !slices.Equal(got, []int64{1, 2, 3, 4}) {
			t.Errorf("numbers are %v", got)
		}
		if got := h.pending("b")[1]; got.State != outbox.Waiting || got.Attempts != 1 || got.Last == nil || !got.Due.Equal(moment) {
			t.Errorf("it is %+v", got)
		}
		if got := numbers(h.pending("a")); !slices.Equal(got, []int64{1, 3, 6}) {
			t.Errorf("numbers left behind are %v", got)
		}
		h.reopen()
	}
}

// routeOutcomeLater: a request was on its way while its delivery was held, or went elsewhere: what came of it counts.
func routeOutcomeLater(t *testing.T, h *harness) {
	list := h.commitFor("crm", "crm", "crm", "slack", "slack")
	h.claim("a", 0, 10)
	h.route("slack", "b")
	h.settle(delivered(list[0]), failed(list[1], outbox.Waiting, 1, moment), failed(list[2], outbox.Dead, 1, moment),
		delivered(list[3]), failed(list[4], outbox.Waiting, 3, moment))
	for range 2 {
		h.wantState(list[0], outbox.Delivered)
		h.wantState(list[1], outbox.Held)
		h.wantState(list[2], outbox.Dead)
		h.wantState(list[3], outbox.Delivered)
		wantSame(t, "moved, and still waiting", h.pending("b"), list[4])
		wantSame(t, "where it was", h.pending("a"))
		h.reopen()
	}
	if moved := h.route("crm", "a", "slack", "b"); moved != (outbox.Moved{Released: 1}) {
		t.Errorf("released %+v", moved)
	}
	got := h.pending("a")
	wantSame(t, "released", got, list[1])
	if len(got) == 1 && (got[0].State != outbox.Waiting || got[0].Attempts != 1 || got[0].Due.After(time.Now())) {
		t.Errorf("it is %+v", got[0])
	}
}
