package deliver

import (
	"bufio"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"rowhook/outbox"
)

// A payload that is too large for memory goes from the outbox to the receiver piece by piece, twice: its signature stands
// in front of it.

// readSize is how much of a large payload is in memory at once, in bytes.
const readSize = 64 << 10

// allowed is how long a request with so many bytes may take.
func (o *Options) allowed(size int64) time.Duration {
	return o.Timeout + time.Duration(max(size, 0)/o.slowest)*time.Second
}

// setBody makes a delivery's payload the body of a request, which may be made several times.
func setBody(req *retryablehttp.Request, d *outbox.Delivery) error {
	if d.Large == nil {
		return req.SetBody(d.Body)
	}
	err := req.SetBody(func() (io.Reader, error) { return openPayload(d), nil })
	req.ContentLength = d.Size()
	return err
}

// hashPayload adds a payload to a hash.
func hashPayload(h hash.Hash, d *outbox.Delivery) error {
	if d.Large == nil {
		_, _ = h.Write(d.Body) // never fails
		return nil
	}
	_, err := io.Copy(h, openPayload(d))
	return err
}

// openPayload reads a large payload. What fails is an unreadableError.
func openPayload(d *outbox.Delivery) io.Reader {
	return bufio.NewReaderSize(payload{d.Open()}, readSize)
}

type payload struct{ io.Reader }

func (p payload) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &unreadableError{err}
	}
	return n, err
}

// unreadableError says that the outbox cannot read a payload, which is no fault of the receiver's.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return "the payload cannot be read: " + e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// watched is the body of a request that notes what fails: the error of writing a request does not always tell.
type watched struct {
	io.ReadCloser
	failed error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	if isUnreadable(err) {
		w.failed = err
	}
	return n, err
}

func isUnreadable(err error) bool {
	_, ok := errors.AsType[*unreadableError](err)
	return ok
}
