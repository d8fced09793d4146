package deliver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rowhook/deliver/delivertest"
	"rowhook/outbox"
)

// largeDelivery is one whose payload is not in memory.
func largeDelivery(n, size int) (d *outbox.Delivery, text []byte) {
	d = making("crm", n, "k")
	text = append(append([]byte(`{"notes":"`), bytes.Repeat([]byte("größe "), size/8)...), `"}`...)
	d.Body, d.Large = nil, bytes.NewReader(text)
	return d, text
}

// TestLargePayloads go out of the outbox as they were committed, rightly signed, also when they are sent again, and do
// so after a restart.
func TestLargePayloads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := delivertest.NewReceiver(t)
	r.Script(delivertest.Answer{Status: http.StatusInternalServerError}, delivertest.Answer{Cut: true}, delivertest.Answer{Status: http.StatusBadRequest})
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	crm := map[string]Endpoint{"crm": {URL: r.URL(), SigningSecrets: []string{secret}}}
	o := Options{Schedule: []time.Duration{time.Millisecond}}
	var texts [][]byte
	s := openStore(t, dir)
	for n, size := range []int{200_000, 8 << 20} {
		d, text := largeDelivery(n, size)
		texts = append(texts, text)
		commit(t, s, d)
	}
	_, stop := running(t, s, crm, o)
	got := r.WaitAccepted(t.Context(), 2)
	stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir)
	d, text := largeDelivery(2, 5<<20)
	commit(t, s, d)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, stop = running(t, openStore(t, dir), crm, o)
	defer stop()
	got = append(got, r.WaitAccepted(t.Context(), 3)[len(got):]...)
	texts = append(texts, text)
	accepted := 0
	for i, q := range got {
		n := slices.IndexFunc(texts, func(text []byte) bool { return bytes.Equal(text, q.Body) })
		if err := verify(t, secret, q.Body, q); err != nil || n < 0 || q.Header.Get("Content-Length") != "" && len(q.Header["Transfer-Encoding"]) > 0 {
			t.Errorf("request %d has %d bytes, as number %d: %v", i, len(q.Body), n, err)
		}
		if q.Status == http.StatusOK {
			accepted++
		}
	}
	if accepted != 3 || len(got) < 6 {
		t.Errorf("%d requests, %d accepted", len(got), accepted)
	}
}

// unreadable is a payload on a bad disk.
type unreadable struct {
	*bytes.Reader
	from int64 // the first byte that cannot be read
}

var errDisk = errors.New("the disk reports an error")

func (u unreadable) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > u.from {
		return 0, errDisk
	}
	return u.Reader.ReadAt(b, off)
}

// TestUnreadablePayloads are no trouble of the endpoint's: the attempt fails at once, whether or not the receiver has seen
// a part, and says why.
func TestUnreadablePayloads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from    int64
		secrets []string
	}{
		"from the beginning": {0, nil},
		"in the middle":      {1 << 20, nil},
		"while it is signed": {1 << 20, []string{"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := delivertest.NewReceiver(t)
			d, text := largeDelivery(1, 2<<20)
			d.Large = unreadable{bytes.NewReader(text), c.from}
			res := attempt(t, Endpoint{URL: r.URL(), SigningSecrets: c.secrets}, d, Options{Timeout: time.Minute})
			if res.verdict != rejected || !strings.Contains(res.attempt.Error, "the payload cannot be read: "+errDisk.Error()) {
				t.Errorf("got %+v", res)
			}
			if res.attempt.Latency > 30*time.Second {
				t.Errorf("it took %s", res.attempt.Latency)
			}
			if n := len(r.Requests()); n > 0 {
				t.Errorf("%d requests came whole", n)
			}
		})
	}
}

// TestAllowed gives a large payload more time.
func TestAllowed(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	for size, want := range map[int64]time.Duration{-1: 0, 0: 0, 1 << 19: 0, 1 << 20: time.Second, 64 << 20: 64 * time.Second} {
		if got := o.allowed(size); got != 10*time.Second+want {
			t.Errorf("%d bytes: %s", size, got)
		}
	}
}
