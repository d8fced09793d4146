package control

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Where several processes share an outbox, a request may be for another one than it was asked of. It is carried there as bytes, and
// its answer back, so that a command reads the same whichever process it reached.

// Send takes a request to another process, and brings its answer.
type Send func(ctx context.Context, request []byte) ([]byte, error)

const (
	// maxCarried is what a carried answer may have, in bytes: each process that is asked keeps it in memory.
	maxCarried = 16 << 20
	// maxPacked is what it may have on its way: it is packed, and a status, which is what has a line for each endpoint, becomes a
	// tenth of that.
	maxPacked = 1<<20 - 64
)

// NewRemote makes a client for the daemon that send reaches.
func NewRemote(send Send) *Client { return &Client{http.Client{Transport: carrier(send)}} }

// Carry answers as the daemon does that send reaches.
func Carry(send Send) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxMessage))
		if err != nil {
			http.Error(w, ErrVersion.Error(), http.StatusNotImplemented)
			return
		}
		status, text, err := send.carry(q.Context(), q.URL.Path, body)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("%w; it may have been done all the same: rowhook deliveries list and rowhook endpoints list show whether it was", err)
			}
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write(text) // who asked may have gone
	})
}

// Answer answers a request that was carried here. The handler must not carry it on.
func Answer(ctx context.Context, h http.Handler, request []byte) []byte {
	at, body, _ := bytes.Cut(request, []byte("\n"))
	r := &recorder{header: make(http.Header), status: http.StatusOK}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://rowhook"+string(at), bytes.NewReader(body))
	if err != nil || !strings.HasPrefix(string(at), "/") || len(body) > maxMessage {
		http.Error(r, ErrVersion.Error(), http.StatusNotImplemented)
	} else {
		h.ServeHTTP(r, q)
	}
	packed := r.pack()
	if packed == nil {
		r.text.Reset()
		http.Error(r, "the answer is too large to be carried to another machine; type this on the one that holds the outbox", http.StatusInternalServerError)
		packed = r.pack()
	}
	return packed
}

// carry takes one request there and its answer back.
func (send Send) carry(ctx context.Context, path string, body []byte) (status int, text []byte, err error) {
	answer, err := send(ctx, append([]byte(path+"\n"), body...))
	if err != nil {
		return 0, nil, fmt.Errorf("the machine that is asked does not answer: %w", err)
	}
	status, text, err = unpack(answer)
	if err != nil {
		return 0, nil, fmt.Errorf("the machine that is asked answers something else: %w", err)
	}
	return status, text, nil
}

// carrier carries requests.
type carrier Send

func (c carrier) RoundTrip(q *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = q.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	status, text, err := Send(c).carry(q.Context(), q.URL.Path, body)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header), Request: q, Body: io.NopCloser(bytes.NewReader(text))}, nil
}

// recorder keeps an answer, and not much more than maxCarried of it.
type recorder struct {
	header http.Header
	status int
	text   bytes.Buffer
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) {
	if r.text.Len() > maxCarried {
		return len(p), nil // it will not be sent
	}
	return r.text.Write(p)
}

// pack is the answer as it is carried; nil when it is too large.
func (r *recorder) pack() []byte {
	if r.text.Len() > maxCarried {
		return nil
	}
	packed := bytes.NewBufferString(strconv.Itoa(r.status))
	w := gzip.NewWriter(packed)
	_, err := w.Write(r.text.Bytes())
	if err = errors.Join(err, w.Close()); err != nil || packed.Len() > maxPacked { // there is no error: it is memory
		return nil
	}
	return packed.Bytes()
}

// unpack is its reverse. The answer may be anything.
func unpack(answer []byte) (status int, text []byte, err error) {
	const digits = 3
	if len(answer) < digits {
		return 0, nil, io.ErrUnexpectedEOF
	}
	if status, err = strconv.Atoi(string(answer[:digits])); err != nil {
		return 0, nil, err
	}
	if status < http.StatusOK || status > 599 {
		return 0, nil, fmt.Errorf("there is no status %d", status)
	}
	r, err := gzip.NewReader(bytes.NewReader(answer[digits:]))
	if err != nil {
		return 0, nil, err
	}
	text, err = io.ReadAll(io.LimitReader(r, maxCarried+1))
	if err == nil && len(text) > maxCarried {
		err = errors.New("it is too large")
	}
	return status, text, err
}
