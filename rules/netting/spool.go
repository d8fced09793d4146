package netting

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"rowhook/cdc"
	"rowhook/scratch"
)

// spool holds the changes of one large transaction on disk: a file of changes, and one that says what each does to
// which key.
type spool struct {
	scratch scratch.Files
	file    scratch.File
	size    int64  // of the changes, with those in tail
	tail    []byte // the end of them, not written yet
	puts    *tupleFile
	n       int     // changes
	marks   []int64 // where every markEvery-th change is
	tables  []*cdc.Table
	numbers map[*cdc.Table]int

	text     string // the statement of the last change, and where it is
	textAt   int64
	textHash uint64
}

// markEvery is how many changes are looked through to find one by its number.
const markEvery = 1024

func newSpool(files scratch.Files) (*spool, error) {
	f, err := files()
	if err != nil {
		return nil, fmt.Errorf("making a scratch file for a large transaction: %w", err)
	}
	puts, err := newTupleFile(files)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a scratch file for a large transaction: %w", err), f.Close())
	}
	return &spool{scratch: files, file: f, puts: puts, numbers: map[*cdc.Table]int{}}, nil
}

func (s *spool) close() error { return errors.Join(s.file.Close(), s.puts.close()) }

// spooled is the head of an entry in the file; what follows it is the rows of a change, or the text of a statement, which
// is an entry of its own (textOp) that many changes refer to.
type spooled struct {
	table         int
	op            cdc.Op
	before, after int   // bytes of the rows
	textAt        int64 // where the change's statement is
	text          int   // bytes of it
	// older is where the change is that came before this one to the same row, plus one; 0: none, or nobody needs it. Netting
	// writes it, for that one's image completes this one's.
	older int64
}

const (
	spooledSize = 40
	olderAt     = 32 // in it
	textOp      = cdc.Op(255)
)

func (h *spooled) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(h.table))
	b = binary.BigEndian.AppendUint32(b, uint32(h.op))
	b = binary.BigEndian.AppendUint32(b, uint32(h.before))
	b = binary.BigEndian.AppendUint32(b, uint32(h.after))
	b = binary.BigEndian.AppendUint64(b, uint64(h.textAt))
	b = binary.BigEndian.AppendUint64(b, uint64(h.text))
	return binary.BigEndian.AppendUint64(b, uint64(h.older))
}

func parseSpooled(b []byte) spooled {
	u32 := func(i int) int { return int(binary.BigEndian.Uint32(b[i:])) }
	u64 := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[i:])) }
	return spooled{u32(0), cdc.Op(u32(4)), u32(8), u32(12), u64(16), int(u64(24)), u64(olderAt)}
}

// add appends a change.
func (s *spool) add(c *cdc.Change) error {
	if err := s.append(c); err != nil {
		return fmt.Errorf("writing a large transaction to a scratch file: %w", err)
	}
	return nil
}

func (s *spool) append(c *cdc.Change) error {
	if c.Statement != s.text {
		if err := s.appendText(c.Statement); err != nil {
			return err
		}
	}
	at := s.size
	if s.n%markEvery == 0 {
		s.marks = append(s.marks, at)
	}
	s.n++
	table, ok := s.numbers[c.Table]
	if !ok {
		table = len(s.tables)
		s.tables, s.numbers[c.Table] = append(s.tables, c.Table), table
	}
	head := len(s.tail)
	b := slices.Grow(s.tail, spooledSize)[:head+spooledSize]
	h := spooled{table: table, op: c.Op, textAt: s.textAt, text: len(s.text)}
	var err error
	if c.Before.Len() > 0 {
		if b, err = c.Before.AppendBinary(b); err != nil {
			return err
		}
		h.before = len(b) - head - spooledSize
	}
	if c.After.Len() > 0 {
		if b, err = c.After.AppendBinary(b); err != nil {
			return err
		}
		h.after = len(b) - head - spooledSize - h.before
	}
	h.append(b[head:head])
	if err := s.write(b); err != nil {
		return err
	}
	eachPut(c, func(what putKind, row cdc.Row) {
		p := putTuple(s.keyOf(c.Table, row, at), at, what, s.textHash, table)
		err = errors.Join(err, s.puts.add(&p))
	})
	return err
}

// appendText puts the statement of the changes that follow in front of them.
func (s *spool) appendText(text string) error {
	s.text, s.textHash = text, 0
	if text == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	s.textHash = binary.BigEndian.Uint64(sum[:])
	s.textAt = s.size + spooledSize
	h := spooled{op: textOp, before: len(text)}
	return s.write(append(h.append(s.tail), text...))
}

// write takes b, which is the tail with more behind it, as the new tail.
func (s *spool) write(b []byte) error {
	s.size += int64(len(b) - len(s.tail))
	if s.tail = b; len(b) < tailSize {
		return nil
	}
	return s.flush()
}

func (s *spool) flush() error {
	_, err := s.file.WriteAt(s.tail, s.size-int64(len(s.tail)))
	if s.tail = s.tail[:0]; cap(s.tail) > 4*tailSize {
		s.tail = nil
	}
	return err
}

// keyOf names a row by 16 bytes: no two rows of the transaction have the same but by their primary key.
func (s *spool) keyOf(t *cdc.Table, row cdc.Row, at int64) (key [16]byte) {
	if len(t.Key) == 0 { // every row stands for itself
		binary.BigEndian.PutUint64(key[8:], uint64(at))
		return key
	}
	var buf [256]byte
	b := append(buf[:0], t.Schema...)
	b = append(append(b, 0), t.Name...)
	b = append(append(b, 0), PrimaryKey(t, row)...)
	sum := sha256.Sum256(b)
	return [16]byte(sum[:])
}

// discard keeps the first changes only.
func (s *spool) discard(keep int) error {
	if keep >= s.n {
		return nil
	}
	if err := s.cut(keep); err != nil {
		return fmt.Errorf("discarding a part of a large transaction: %w", err)
	}
	return nil
}

func (s *spool) cut(keep int) error {
	if err := s.flush(); err != nil {
		return err
	}
	at := s.marks[keep/markEvery]
	for left := keep % markEvery; ; {
		var head [spooledSize]byte
		if _, err := s.file.ReadAt(head[:], at); err != nil {
			return err
		}
		h := parseSpooled(head[:])
		if h.op != textOp {
			if left == 0 {
				break
			}
			left--
		}
		at += int64(spooledSize + h.before + h.after)
	}
	s.n, s.size, s.text, s.textAt, s.textHash = keep, at, "", 0, 0
	s.marks = s.marks[:(keep+markEvery-1)/markEvery]
	if err := s.puts.truncate(func(v *tuple) bool { return v.ref() >= at }); err != nil {
		return err
	}
	return s.file.Truncate(at)
}
