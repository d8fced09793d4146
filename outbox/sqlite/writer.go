package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"rowhook/outbox"
)

const (
	// checkpointPages is how far the log in front of the file grows before it is moved into it: 4 MB. A checkpoint is made
	// by the writer behind a commit; left to another connection, the log grows without end under load.
	checkpointPages = 4 << 20 / pageSize
	// pageSize suits single deliveries of one or two kilobytes; larger pages make large batches cheaper and small ones dearer.
	pageSize = 4096
	// maxBlob is where the payloads of one commit are split; a payload beyond it is stored in pieces.
	maxBlob = 4 << 20
	// maxValue bounds a single payload, open event or position that lies in memory.
	maxValue = 128 << 20
	// maxAttempts is how many attempts of a delivery are kept; a probe of a dead endpoint may fail for days.
	maxAttempts = 100
	// maxText is where the error and the answer of an attempt are cut.
	maxText = 16 << 10
)

// label is what deliveries have in common; the file holds it once.
type label struct{ rule, site, action, kind string }

// writer is the one connection that changes the file, with what it knows of the file's content. It does not lock: the
// Store does.
type writer struct {
	conn   *sqlite3.Conn
	labels map[label]int64
	done   marks // settled deliveries, as the file has them
	last   int64 // the last sequence number given
	logged int   // pages in the log, as of the last commit
	body   []byte

	putState, putOpen, dropOpen, putLabel, putBatch, putDelivery   *sqlite3.Stmt
	putDone, dropDone, fail, move, unfail, putAttempt, trimAttempt *sqlite3.Stmt
	putRetried, putPiece                                           *sqlite3.Stmt
}

// openWriter opens the file, makes it when it is new, and reads what the writer has to know.
func openWriter(ctx context.Context, path string) (*writer, error) {
	conn, err := connect(ctx, path, "rwc")
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, labels: make(map[label]int64), body: []byte{}}
	if err := w.open(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) open() error {
	// FULL, because what a power cut took back after it was posted would be grouped again, under other ids.
	err := w.conn.Exec(fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY`, pageSize))
	if err != nil {
		return err
	}
	if err := checksums(w.conn); err != nil {
		return err
	}
	if err := prepareFile(w.conn); err != nil {
		return err
	}
	err = w.conn.Exec(fmt.Sprintf(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = %d`,
		4*checkpointPages*pageSize))
	if err != nil {
		return err
	}
	w.conn.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		w.logged = pages
		return nil
	})
	if err := checkWAL(w.conn); err != nil {
		return err
	}
	if err := w.prepare(); err != nil {
		return err
	}
	return w.load()
}

func (w *writer) prepare() error {
	for sql, stmt := range map[string]**sqlite3.Stmt{
		`UPDATE state SET checkpoint = coalesce(?, checkpoint), low = ?, last = ?`:                      &w.putState,
		`INSERT INTO open(key, data) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET data = excluded.data`: &w.putOpen,
		`DELETE FROM open WHERE key = ?`:                                                                                          &w.dropOpen,
		`INSERT INTO label(id, rule, site, action, kind) VALUES (?, ?, ?, ?, ?)`:                                                  &w.putLabel,
		`INSERT INTO piece(of, n, body) VALUES (?, ?, ?)`:                                                                         &w.putPiece,
		`INSERT INTO batch(first, stored, body) VALUES (?, ?, ?)`:                                                                 &w.putBatch,
		`INSERT INTO delivery(seq, batch, label, id, keys, gone, as_of, created, off, len) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`: &w.putDelivery,
		`INSERT INTO done(first, last) VALUES (?, ?) ON CONFLICT(first) DO UPDATE SET last = excluded.last`:                       &w.putDone,
		`DELETE FROM done WHERE first = ?`:                                                                                        &w.dropDone,
		// A delivery may have been pruned before somebody wanted it sent again: then there is nothing to record.
		`INSERT INTO failed(seq, state, attempts, due) SELECT seq, ?, ?, ? FROM delivery WHERE seq = ?
			ON CONFLICT(seq) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due = excluded.due`: &w.fail,
		`INSERT INTO retried(at, seq) SELECT ?, seq FROM delivery WHERE seq = ? ON CONFLICT(seq) DO UPDATE SET at = excluded.at`: &w.putRetried,
		`UPDATE failed SET state = ?, attempts = ?, due = ? WHERE seq = ?`:                                                       &w.move,
		`DELETE FROM failed WHERE seq = ?`: &w.unfail,
		`INSERT INTO attempt(n, at, latency, status, error, response, seq) SELECT ?, ?, ?, ?, ?, ?, seq FROM delivery WHERE seq = ?`: &w.putAttempt,
		fmt.Sprintf(`DELETE FROM attempt WHERE seq = ?1 AND
			id <= (SELECT id FROM attempt WHERE seq = ?1 ORDER BY id DESC LIMIT 1 OFFSET %d)`, maxAttempts): &w.trimAttempt,
	} {
		var err error
		if *stmt, _, err = w.conn.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return err
		}
	}
	return nil
}

// load reads what the last commit left.
func (w *writer) load() error {
	err := each(w.conn, `SELECT low, last FROM state`, nil, func(s *sqlite3.Stmt) (bool, error) {
		w.done.low, w.last = s.ColumnInt64(0), s.ColumnInt64(1)
		return false, nil
	})
	if err != nil {
		return err
	}
	err = each(w.conn, `SELECT first, last FROM done ORDER BY first`, nil, func(s *sqlite3.Stmt) (bool, error) {
		w.done.runs = append(w.done.runs, run{s.ColumnInt64(0), s.ColumnInt64(1)})
		return true, nil
	})
	if err != nil {
		return err
	}
	return eachLabel(w.conn, func(id int64, l label) { w.labels[l] = id })
}

// eachLabel reads the dictionary.
func eachLabel(c *sqlite3.Conn, use func(id int64, l label)) error {
	return each(c, `SELECT id, rule, site, action, kind FROM label`, nil, func(s *sqlite3.Stmt) (bool, error) {
		use(s.ColumnInt64(0), label{s.ColumnText(1), s.ColumnText(2), s.ColumnText(3), s.ColumnText(4)})
		return true, nil
	})
}

// store makes a batch and outcomes durable, in one transaction. On an error nothing has changed, here or in the file.
func (w *writer) store(b *outbox.Batch, outcomes []outbox.Outcome) error {
	if err := checkSizes(b); err != nil {
		return err
	}
	done, known := w.done.clone(), len(w.labels)
	last := w.last + int64(len(b.Deliveries))
	err := transact(w.conn, func() error {
		if err := w.writeOpen(b.Open); err != nil {
			return err
		}
		if err := w.writeDeliveries(b.Deliveries); err != nil {
			return err
		}
		if err := w.writeOutcomes(outcomes, &done); err != nil {
			return err
		}
		put := bind{stmt: w.putState}
		return put.blob(b.Checkpoint).int(done.low).int(last).run()
	})
	if err != nil {
		for l, id := range w.labels { // labels are numbered 1, 2, 3...: forget those of this transaction
			if id > int64(known) {
				delete(w.labels, l)
			}
		}
		return err
	}
	for i, d := range b.Deliveries {
		d.Seq = w.last + 1 + int64(i)
	}
	w.done, w.last = done, last
	return nil
}

// checkpoint moves the log into the file when it is long. SQLite would do it inside of a commit, and deliveries that are
// durable by then would wait for it. Where it fails nothing is lost: the next commit tries again, or fails itself.
func (w *writer) checkpoint() {
	if w.logged >= checkpointPages {
		_, _, _ = w.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	}
}

// checkSizes keeps what SQLite could not take from reaching it.
func checkSizes(b *outbox.Batch) error {
	if len(b.Checkpoint) > maxValue {
		return fmt.Errorf("the position is %d bytes long; the outbox takes %d", len(b.Checkpoint), maxValue)
	}
	for _, r := range b.Open {
		if len(r.Data) > maxValue {
			return fmt.Errorf("the open event %q is %d bytes long; the outbox takes %d", r.Key, len(r.Data), maxValue)
		}
	}
	for _, d := range b.Deliveries {
		if len(d.Body) > maxValue {
			return fmt.Errorf("the payload of delivery %s is %d bytes long; the outbox takes %d", d.ID, len(d.Body), maxValue)
		}
	}
	return nil
}

func (w *writer) writeOpen(records []outbox.Record) error {
	for _, r := range records {
		var err error
		switch {
		case r.Large != nil:
			err = w.writeLargeOpen(r)
		case r.Data == nil:
			drop := bind{stmt: w.dropOpen}
			err = drop.text(r.Key).run()
		default:
			put := bind{stmt: w.putOpen}
			err = put.text(r.Key).blob(r.Data).run()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeDeliveries writes the payloads as one blob, or a few, or in pieces when they are large, and a row for each delivery.
func (w *writer) writeDeliveries(list []*outbox.Delivery) error {
	stored := time.Now()
	for first := 0; first < len(list); {
		w.body = w.body[:0]
		batch := w.last + 1 + int64(first)
		next := first
		for ; next < len(list); next++ {
			d := list[next]
			if next > first && len(w.body)+len(d.Body) > maxBlob {
				break
			}
			if err := w.writeDelivery(batch, w.last+1+int64(next), d); err != nil {
				return err
			}
		}
		w.body = append(w.body, seal)
		put := bind{stmt: w.putBatch}
		if err := put.int(batch).time(stored).blob(w.body).run(); err != nil {
			return err
		}
		first = next
	}
	return nil
}

// writeDelivery writes the row of a delivery, and adds its payload to the blob or stores it in pieces.
func (w *writer) writeDelivery(batch, seq int64, d *outbox.Delivery) error {
	l := label{d.Rule, d.Site, d.Action, d.Kind}
	id, ok := w.labels[l]
	if !ok {
		id = int64(len(w.labels) + 1)
		put := bind{stmt: w.putLabel}
		if err := put.int(id).text(l.rule).text(l.site).text(l.action).text(l.kind).run(); err != nil {
			return err
		}
		w.labels[l] = id
	}
	off := int64(len(w.body))
	if large := largeBody(d); large == nil {
		w.body = append(w.body, d.Body...)
	} else {
		off = inPieces
		if err := w.writePieces(seq, large); err != nil {
			return fmt.Errorf("payload of delivery %s: %w", d.ID, err)
		}
	}
	put := bind{stmt: w.putDelivery}
	return put.int(seq).int(batch).int(id).blob(d.ID[:]).text(joinKeys(d.Keys)).int(int64(slices.Index(outbox.Objects(), d.Object) + 1)).
		time(d.AsOf).time(d.Created).int(off).int(d.Size()).run()
}

// writeOutcomes records outcomes in order and moves done, and the rows that hold it, on.
func (w *writer) writeOutcomes(outcomes []outbox.Outcome, done *marks) error {
	for i := range outcomes {
		if err := w.writeOutcome(&outcomes[i], done.add(outcomes[i].Seq)); err != nil {
			return err
		}
	}
	put, gone := changes(w.done.runs, done.runs)
	for _, r := range put {
		b := bind{stmt: w.putDone}
		if err := b.int(r.first).int(r.last).run(); err != nil {
			return err
		}
	}
	for _, first := range gone {
		b := bind{stmt: w.dropDone}
		if err := b.int(first).run(); err != nil {
			return err
		}
	}
	return nil
}

// writeOutcome writes what the marks do not say: that a delivery was not accepted, or not at once. First tells that it
// is the delivery's first outcome.
func (w *writer) writeOutcome(o *outbox.Outcome, first bool) error {
	if first && o.State == outbox.Delivered && o.Attempts <= 1 {
		return nil
	}
	var b bind
	switch {
	case o.State == outbox.Delivered:
		b = bind{stmt: w.unfail}
	case first || !o.Retried.IsZero():
		b = bind{stmt: w.fail}
		b.int(int64(o.State)).int(int64(o.Attempts)).time(o.Due)
	default: // no row to change: it was delivered meanwhile, and stays so
		b = bind{stmt: w.move}
		b.int(int64(o.State)).int(int64(o.Attempts)).time(o.Due)
	}
	if err := b.int(o.Seq).run(); err != nil {
		return err
	}
	if !o.Retried.IsZero() {
		retried := bind{stmt: w.putRetried}
		if err := retried.time(o.Retried).int(o.Seq).run(); err != nil {
			return err
		}
	}
	if o.Attempt == nil {
		return nil
	}
	return w.writeAttempt(o)
}

// writeAttempt puts an attempt on record, and forgets the oldest of too many.
func (w *writer) writeAttempt(o *outbox.Outcome) error {
	a := o.Attempt
	put := bind{stmt: w.putAttempt}
	err := put.int(int64(o.Attempts)).time(a.At).int(a.Latency.Microseconds()).int(int64(a.Status)).
		text(cut(a.Error)).text(cut(a.Response)).int(o.Seq).run()
	if err != nil {
		return err
	}
	trim := bind{stmt: w.trimAttempt}
	return trim.int(o.Seq).run()
}

// setMeta writes a setting.
func (w *writer) setMeta(key, value string) error {
	s, _, err := w.conn.Prepare(`INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value`)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // what it says, the last step said
	b := bind{stmt: s}
	return b.text(key).text(value).run()
}

func (w *writer) close() error {
	for _, s := range []*sqlite3.Stmt{
		w.putState, w.putOpen, w.dropOpen, w.putLabel, w.putBatch, w.putDelivery,
		w.putDone, w.dropDone, w.fail, w.move, w.unfail, w.putAttempt, w.trimAttempt, w.putRetried, w.putPiece,
	} {
		_ = s.Close()
	}
	return w.conn.Close()
}

// cut shortens what came from outside.
func cut(text string) string {
	return text[:min(len(text), maxText)]
}
