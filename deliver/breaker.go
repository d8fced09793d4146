package deliver

import (
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// probeWaits are the times between the probes of a dead endpoint; the last one goes on.
var probeWaits = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
}

// breaker is the circuit breaker of an endpoint. It opens with the first failure that is the endpoint's (which failures
// are, the lane decides), is half-open for one probe when its wait is over, and closes with whatever gets through.
// failsafe-go keeps the state; how long it waits depends on what the receiver said, which it only asks for in an
// execution of its own: so what came of a request is told as an execution that is over at once.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[result]
	run     failsafe.Executor[result]
	since   time.Time // when it opened; zero: it is closed
	probes  int       // that failed since then
}

func newBreaker() *breaker {
	b := new(breaker)
	b.circuit = circuitbreaker.NewBuilder[result]().
		HandleIf(func(r result, _ error) bool { return r.verdict != accepted }).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[result]) time.Duration { return b.wait(e.LastResult()) }).
		Build()
	b.run = failsafe.With(b.circuit)
	return b
}

// closed tells whether deliveries are sent as usual.
func (b *breaker) closed() bool { return b.circuit.IsClosed() }

// next is when an open breaker lets a probe pass.
func (b *breaker) next(now time.Time) time.Time { return now.Add(b.circuit.RemainingDelay()) }

// failed takes a failure of the endpoint: the first one, or one of a probe that next allowed.
func (b *breaker) failed(r result) {
	if b.closed() {
		b.since, b.probes = time.Now(), 0
	} else {
		b.probes++
	}
	_, _ = b.run.Get(func() (result, error) { return r, nil }) // says what it was told
}

// wait is until the next probe: sooner or later, as the receiver asks, or the usual time.
func (b *breaker) wait(r result) time.Duration {
	if r.retryAfter > 0 {
		return r.retryAfter
	}
	return jitter(probeWaits[min(b.probes, len(probeWaits)-1)])
}

// close forgets that there was any trouble.
func (b *breaker) close() {
	b.circuit.Close()
	b.since, b.probes = time.Time{}, 0
}
