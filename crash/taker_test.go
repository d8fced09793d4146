//go:build crash

package crash

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// taker is a receiver of numbered deliveries that keeps a bit of each.
type taker struct {
	mu     sync.Mutex
	taken  []bool
	newest map[int]int // by object
	got    int         // different ones
	found  findings
}

func newTaker(n int) *taker { return &taker{taken: make([]bool, n), newest: map[int]int{}} }

// listen takes connections, and returns the URL. It reads no more of a request than it needs: net/http's server takes more
// of the processor for an answer than the daemon for a delivery.
func (k *taker) listen(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			served.Go(func() { k.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		served.Wait() // the daemon is gone, and its connections
	})
	return "http://" + listener.Addr().String()
}

// serve answers requests until the sender is gone.
func (k *taker) serve(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		id, body, err := readDelivery(r)
		if err != nil {
			return
		}
		k.take(id, body)
		if _, err := io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n"); err != nil {
			return
		}
	}
}

// readDelivery reads a request of the daemon's: its id and its body.
func readDelivery(r *bufio.Reader) (id, body string, err error) {
	size := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", "", err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("webhook-id")):
			id = string(value)
		case bytes.EqualFold(name, []byte("Content-Length")):
			if size, err = strconv.Atoi(string(value)); err != nil {
				return "", "", err
			}
		}
	}
	b := make([]byte, size)
	_, err = io.ReadFull(r, b)
	return id, string(b), err
}

// count is how many different ones were taken.
func (k *taker) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.got
}

func (k *taker) take(id, body string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(body, `{"n":`), "}"))
	switch {
	case err != nil || n < 0 || n >= len(k.taken):
		k.found.invented++
		return
	case id != pendingID(n).String():
		k.found.changed++
		return
	case k.taken[n]:
		k.found.repeats++
		return
	}
	k.taken[n] = true
	k.got++
	if before, known := k.newest[n%pendingObjects]; known && n < before {
		k.found.disordered++
	}
	k.newest[n%pendingObjects] = max(n, k.newest[n%pendingObjects])
}

func (k *taker) judge() *findings {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.found
	for _, taken := range k.taken {
		if !taken {
			f.lost++
		}
	}
	return &f
}

func TestTakerCrash(t *testing.T) {
	t.Parallel()
	const other = pendingObjects // of the same object as 0
	for name, c := range map[string]struct {
		told []int
		body string // comes under the first id
		want findings
	}{
		"all is well":  {told: []int{0, other}, want: findings{lost: other - 1}},
		"one is lost":  {told: []int{other}, want: findings{lost: other}},
		"a repeat":     {told: []int{0, other, 0}, want: findings{lost: other - 1, repeats: 1}},
		"an overtaker": {told: []int{other, 0}, want: findings{lost: other - 1, disordered: 1}},
		"another id":   {told: []int{0, other}, body: `{"n":1}`, want: findings{lost: other - 1, changed: 1}},
		"invented":     {told: []int{0, other}, body: `{"n":99999999}`, want: findings{lost: other - 1, invented: 1}},
	} {
		k := newTaker(other + 1)
		for _, n := range c.told {
			k.take(pendingID(n).String(), fmt.Sprintf(`{"n":%d}`, n))
		}
		if c.body != "" {
			k.take(pendingID(0).String(), c.body)
		}
		if got := k.judge(); got.String() != c.want.String() {
			t.Errorf("%s: found %s\nwant %s", name, got, &c.want)
		}
	}
}
