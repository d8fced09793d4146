package deliver

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"rowhook/outbox"
)

// BenchmarkDrain is what a delivery costs without a network and a disk.
func BenchmarkDrain(b *testing.B) {
	m := newMemory()
	list := make([]*outbox.Delivery, b.N)
	for i := range list {
		list[i] = making("crm", i, fmt.Sprint(i%1000))
	}
	if err := m.Commit(b.Context(), &outbox.Batch{Deliveries: list}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{}, b.N)
	w, err := New(m, oneEndpoint, Options{Transport: trip(func(*http.Request) (int, http.Header, error) {
		done <- struct{}{}
		return 200, nil, nil
	})})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() { ended <- w.Run(ctx) }()
	for range b.N {
		<-done
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
