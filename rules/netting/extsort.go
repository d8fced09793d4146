package netting

import (
	"bufio"
	"bytes"
	"container/heap"
	"io"
	"slices"

	"rowhook/scratch"
)

// tuple is a line of the tables that a large transaction is netted with. Tuples compare as their bytes do.
type tuple [40]byte

const tupleSize = int64(len(tuple{}))

// tupleFile is a file of tuples, written from front to back.
type tupleFile struct {
	file scratch.File
	n    int64 // tuples in it, with those in tail
	tail []byte
}

// tailSize is how much is written at once.
const tailSize = 64 << 10

func newTupleFile(files scratch.Files) (*tupleFile, error) {
	f, err := files()
	if err != nil {
		return nil, err
	}
	return &tupleFile{file: f}, nil
}

func (t *tupleFile) add(v *tuple) error {
	t.tail = append(t.tail, v[:]...)
	t.n++
	if len(t.tail) < tailSize {
		return nil
	}
	return t.flush()
}

func (t *tupleFile) flush() error {
	_, err := t.file.WriteAt(t.tail, t.n*tupleSize-int64(len(t.tail)))
	t.tail = t.tail[:0]
	return err
}

// truncate keeps the first tuples up to one for which cut is true; from there on it is true for all.
func (t *tupleFile) truncate(cut func(*tuple) bool) error {
	if err := t.flush(); err != nil {
		return err
	}
	low, high := int64(0), t.n
	for low < high {
		var v tuple
		middle := low + (high-low)/2
		if _, err := t.file.ReadAt(v[:], middle*tupleSize); err != nil {
			return err
		}
		if cut(&v) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	t.n = low
	return t.file.Truncate(low * tupleSize)
}

func (t *tupleFile) close() error { return t.file.Close() }

// Sorting takes runs of this many tuples, which are sorted in memory, and merges them through buffers of this size.
const (
	runTuples   = 1 << 15
	mergeBuffer = 4 << 10
)

// sorted returns a file with the tuples of t as sorted runs, for merge.
func (t *tupleFile) sorted(files scratch.Files) (*tupleFile, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	runs, err := newTupleFile(files)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(io.NewSectionReader(t.file, 0, t.n*tupleSize), tailSize)
	run := make([]tuple, 0, min(t.n, runTuples))
	for left := t.n; left > 0; left -= int64(len(run)) {
		run = run[:min(left, runTuples)]
		for i := range run {
			if _, err := io.ReadFull(in, run[i][:]); err != nil {
				return runs, err
			}
		}
		slices.SortFunc(run, func(a, b tuple) int { return bytes.Compare(a[:], b[:]) })
		for i := range run {
			if err := runs.add(&run[i]); err != nil {
				return runs, err
			}
		}
	}
	return runs, runs.flush()
}

// merge reads the runs of a sorted file as one.
type merge []*runReader

type runReader struct {
	in      io.SectionReader
	buf     []byte
	left    []byte // of buf
	current tuple
}

func (t *tupleFile) merge() (*merge, error) {
	m := &merge{}
	for first := int64(0); first < t.n; first += runTuples {
		r := &runReader{in: *io.NewSectionReader(t.file, first*tupleSize, min(runTuples, t.n-first)*tupleSize)}
		if _, err := r.advance(); err != nil {
			return nil, err
		}
		*m = append(*m, r)
	}
	heap.Init(m)
	return m, nil
}

// next is the next tuple in order; false at the end.
func (m *merge) next() (v tuple, ok bool, err error) {
	if len(*m) == 0 {
		return v, false, nil
	}
	r := (*m)[0]
	v = r.current
	switch more, err := r.advance(); {
	case err != nil:
		return v, false, err
	case more:
		heap.Fix(m, 0)
	default:
		heap.Pop(m)
	}
	return v, true, nil
}

// advance reads the run's next tuple.
func (r *runReader) advance() (more bool, err error) {
	if len(r.left) == 0 {
		if r.buf == nil {
			r.buf = make([]byte, mergeBuffer/tupleSize*tupleSize)
		}
		n, err := io.ReadFull(&r.in, r.buf)
		if n == 0 && err == io.EOF {
			return false, nil
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return false, err
		}
		r.left = r.buf[:n]
	}
	r.left = r.left[copy(r.current[:], r.left):]
	return true, nil
}

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return bytes.Compare(m[i].current[:], m[j].current[:]) < 0 }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }

// Push and Pop are heap.Interface.
func (m *merge) Push(x any) { *m = append(*m, x.(*runReader)) } //nolint:forcetypeassert // nothing else is pushed

// Pop takes the last run.
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
