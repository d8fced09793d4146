package deliver

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rowhook/outbox"
)

// TestOutages: when the breaker of an endpoint was open is known, the newest first, over a change of its rules; of others nothing is said.
func TestOutages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		var down atomic.Bool
		n.set(func(string) (int, http.Header, error) {
			if down.Load() {
				return 503, nil, nil
			}
			return 200, nil, nil
		})
		both := map[string]Endpoint{"crm": oneEndpoint["crm"], "erp": {URL: "http://erp.test/"}}
		w, _ := running(t, m, both, n.options())
		of := func(name string) EndpointStatus {
			t.Helper()
			for _, e := range w.Status(t.Context()).Endpoints {
				if e.Name == name {
					return e
				}
			}
			t.Fatalf("there is no %s", name)
			return EndpointStatus{}
		}
		pass(time.Second)
		if got := of(crmName); len(got.Outages) != 0 || got.Pace != (Pace{Most: 16}) {
			t.Errorf("at the beginning: %+v", got)
		}
		const often = mostOutages + 3
		for i := range often {
			down.Store(true)
			commit(t, m, making("crm", i, fmt.Sprint(i)))
			pass(time.Minute)
			if got := of(crmName).Outages; len(got) == 0 || !got[0].Until.IsZero() || got[0].Probes == 0 || got[0].Error == "" {
				t.Fatalf("while it is down: %+v", got)
			}
			down.Store(false)
			pass(10 * time.Minute)
		}
		w.SetEndpoints(map[string]Endpoint{"crm": oneEndpoint["crm"], "more": {URL: oneEndpoint["crm"].URL}, "erp": {URL: "http://erp.test/"}})
		pass(time.Minute)
		got := of(crmName).Outages
		if len(got) != mostOutages {
			t.Fatalf("%d are remembered", len(got))
		}
		for i, o := range got {
			if lasted := o.Until.Sub(o.Since); lasted < time.Minute || lasted > 5*time.Minute || o.Probes == 0 || i > 0 && !o.Since.Before(got[i-1].Since) {
				t.Errorf("outage %d is %+v", i, o)
			}
		}
		if got := of("http://erp.test:80").Outages; len(got) != 0 {
			t.Errorf("of another: %+v", got)
		}
	})
}

// TestOutagesOfStopped: an endpoint that was stopped may be asked how it does while the one in its place goes on with its outages.
func TestOutagesOfStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 503, nil, nil })
		w, _ := running(t, m, oneEndpoint, n.options())
		commit(t, m, making("crm", 1, "1"))
		pass(time.Minute)
		stopped := w.all()[0]
		w.SetEndpoints(map[string]Endpoint{"crm": oneEndpoint["crm"], "more": {URL: oneEndpoint["crm"].URL}})
		<-stopped.over
		stopped.status(outbox.Due{}) // while Run makes the next one
		pass(time.Minute)
		if got := w.Status(t.Context()).Endpoints[0].Outages; len(got) != 2 || got[1].Until.IsZero() || !got[0].Until.IsZero() {
			t.Errorf("got %+v", got)
		}
	})
}

// TestPace: how fast an endpoint may be sent to is said, and when the next one may go.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, n := newStore(), newNetwork()
		n.set(func(string) (int, http.Header, error) { return 200, nil, nil })
		o := n.options()
		o.Limits = map[string]Limit{crmName: {Every: time.Minute, Concurrency: 2}}
		w, _ := running(t, m, oneEndpoint, o)
		for i := range 3 {
			commit(t, m, making("crm", i, fmt.Sprint(i)))
		}
		pass(time.Second)
		got := w.Status(t.Context()).Endpoints[0].Pace
		if left := time.Until(got.Next); got.Most != 2 || got.Every != time.Minute || left <= 50*time.Second || left > time.Minute {
			t.Errorf("got %+v, the next one in %v", got, left)
		}
		pass(time.Hour)
	})
}
