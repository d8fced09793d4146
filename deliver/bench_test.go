package deliver

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"rowhook/deliver/post"
	"rowhook/outbox"
)

// nowhere is a poster that accepts everything at once, and tells when it has had enough.
type nowhere struct {
	left *atomic.Int64
	done chan<- struct{}
}

func (n nowhere) Post(context.Context, <-chan struct{}, *post.Target, *post.Message, int) post.Result {
	if n.left.Add(-1) == 0 {
		close(n.done)
	}
	return post.Result{Verdict: post.Accepted, Status: 200}
}

func (nowhere) Close() {}

// BenchmarkDrain is what a delivery costs without a network and a disk: claim, order, post, settle.
func BenchmarkDrain(b *testing.B) {
	for _, endpoints := range []int{1, 50} {
		b.Run(fmt.Sprint(endpoints), func(b *testing.B) { drain(b, endpoints) })
	}
}

func drain(b *testing.B, n int) {
	s := newStore()
	s.log = nil
	endpoints, routes := make(map[string]Endpoint), make(map[string]string)
	for i := range n {
		url := fmt.Sprintf("http://%d.test/hook", i)
		endpoints[fmt.Sprint(i)], routes[fmt.Sprint(i)] = Endpoint{URL: url}, EndpointName(url)
	}
	if _, err := s.Route(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	list := make([]*outbox.Delivery, b.N)
	for i := range list {
		list[i] = making(fmt.Sprint(i%n), i, fmt.Sprint(i%1000))
	}
	for page := range slices.Chunk(list, 500) {
		if err := s.Commit(b.Context(), &outbox.Batch{Deliveries: page}); err != nil {
			b.Fatal(err)
		}
	}
	w, err := New(s, endpoints, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{})
	w.poster = func() poster { return nowhere{&left, done} }
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() { ended <- w.Run(ctx) }()
	<-done
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
