//go:build crash

package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ledger is what a receiver took, in its order.
type ledger struct {
	accepted int
	repeats  int   // of an id with the same body
	reused   int   // ids that came with another body, or for another rule
	newest   int64 // the largest number that came

	ids    map[string]receipt
	order  map[key][]receipt         // the first receipts of ids
	hidden map[hiddenKey]bool        // what only a receiver would learn that looks at bodies under an id it knows
	rows   map[key]map[string]string // the table as the full saves and deletes tell it
	high   map[key]int64             // the highest sequence of those: what has a lower one comes late, and receivers drop it
	pauses []pause
}

// receipt is a delivery as it was received.
type receipt struct {
	id   string
	rule string
	kind kind
	n    int64 // of a save or a status
	seq  int64 // its X-Rowhook-Sequence; 0: none
	body uint64
	at   time.Time
}

// pause is when a rule's URL was paused, for it had answered 410. What goes to other URLs does not wait for it then.
type pause struct {
	rule     string
	from, to time.Time // zero: it lasts
}

type hiddenKey struct {
	rule string
	key  key
	n    int64
}

var bodies = maphash.MakeSeed()

func newLedger() *ledger {
	return &ledger{ids: map[string]receipt{}, order: map[key][]receipt{}, hidden: map[hiddenKey]bool{}, rows: map[key]map[string]string{}, high: map[key]int64{}}
}

// leave begins a pause.
func (l *ledger) leave(rule string, now time.Time) {
	l.pauses = append(l.pauses, pause{rule: rule, from: now})
}

// back ends the pauses.
func (l *ledger) back(now time.Time) {
	for i := range l.pauses {
		if l.pauses[i].to.IsZero() {
			l.pauses[i].to = now
		}
	}
}

// mayPass says whether a receipt may stand before what went to another rule's URL and is older: that was paused.
func (l *ledger) mayPass(g receipt, other string) bool {
	return g.rule != other && slices.ContainsFunc(l.pauses, func(p pause) bool {
		return p.rule == other && g.at.After(p.from) && (p.to.IsZero() || g.at.Before(p.to))
	})
}

// accept takes a request in.
func (l *ledger) accept(r rule, site, id string, seq int64, body []byte) error {
	l.accepted++
	got := receipt{id: id, rule: r.name, kind: r.kind, seq: seq, body: maphash.Bytes(bodies, body)}
	fields, ids, err := parseBody(r, body)
	if err != nil {
		return fmt.Errorf("rule %s, body %.300s: %w", r.name, body, err)
	}
	if r.kind != gone {
		if got.n, err = stamp(r, fields); err != nil {
			return fmt.Errorf("rule %s, body %.300s: %w", r.name, body, err)
		}
		l.newest = max(l.newest, got.n)
	}
	if before, known := l.ids[id]; known {
		if got.at, got.seq = before.at, before.seq; before == got { // a store that lost its last commits may count it anew
			l.repeats++
			return nil
		}
		l.reused++
		for _, object := range ids {
			l.hidden[hiddenKey{r.name, key{site, r.entity, object}, got.n}] = true
		}
		return nil
	}
	got.at = time.Now()
	l.ids[id] = got
	for _, object := range ids {
		k := key{site, r.entity, object}
		l.order[k] = append(l.order[k], got)
		if r.kind != gone && r.load != "full" || seq < l.high[k] {
			continue
		}
		l.high[k], l.rows[k] = seq, fields
		if r.kind == gone {
			delete(l.rows, k)
		}
	}
	return nil
}

// parseBody reads a payload: its fields as text, and the objects that it is about.
func parseBody(r rule, body []byte) (fields map[string]string, ids []int64, err error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, nil, err
	}
	fields = make(map[string]string, len(raw))
	for name, value := range raw {
		fields[name] = textOf(value)
	}
	name := "id"
	if r.kind == status {
		name = "id_order"
	}
	if bytes.HasPrefix(raw[name], []byte("[")) {
		return fields, ids, json.Unmarshal(raw[name], &ids)
	}
	id, err := strconv.ParseInt(fields[name], 10, 64)
	return fields, []int64{id}, err
}

// textOf is a value as the database would show it; NULL is the text that no value is.
func textOf(value json.RawMessage) string {
	var text string
	if string(value) == "null" {
		return null
	}
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

const null = "\x00NULL"

// stamps are the columns that hold the number of a change, behind which may be padding.
var stamps = map[string]string{"appointment": "notes", "customer": "notes", "service": "description"}

func stamp(r rule, fields map[string]string) (int64, error) {
	column := stamps[r.entity]
	if r.kind == status {
		column = "comment"
	}
	number, _, _ := strings.Cut(fields[column], "|")
	return strconv.ParseInt(number, 10, 64)
}
