//go:build crash

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// receipts is what a receiver accepted, in the order in which it did.
type receipts struct {
	accepted int
	ids      map[string]string   // the body by webhook-id
	byKey    map[string][]change // first receipts of each id
	reused   int                 // ids that came with another body
}

func newReceipts() *receipts {
	return &receipts{ids: map[string]string{}, byKey: map[string][]change{}}
}

// accept takes a request that is answered with success.
func (r *receipts) accept(action, id string, body []byte) error {
	r.accepted++
	if before, ok := r.ids[id]; ok {
		if before != string(body) {
			r.reused++
		}
		return nil
	}
	r.ids[id] = string(body)
	key, c, err := parseReceipt(action, body)
	if err == nil {
		r.byKey[key] = append(r.byKey[key], c)
	}
	return err
}

func parseReceipt(action string, body []byte) (string, change, error) {
	var v struct {
		ID      any    `json:"id"`
		IDOrder any    `json:"id_order"`
		Notes   string `json:"notes"`
		Comment string `json:"comment"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return "", change{}, fmt.Errorf("body %q: %w", body, err)
	}
	kind, key, text := "save", fmt.Sprint(v.ID), v.Notes
	switch action {
	case "onStatusChangeReservation":
		kind, key, text = "status", fmt.Sprint(v.IDOrder), v.Comment
	case "onAfterDeleteReservation":
		return key, change{kind: "delete"}, nil
	}
	n, err := strconv.Atoi(text)
	return key, change{kind, n}, err
}

// complete says whether nothing more can be expected: with exact every change is there, without it the last of each
// object and every status.
func (r *receipts) complete(want map[string][]change, exact bool) bool {
	c := r.compare(want, exact)
	return c.lost == 0
}

// comparison counts what went wrong.
type comparison struct {
	lost, extra, disordered, reused int
}

func (c comparison) String() string {
	return fmt.Sprintf("%d lost, %d under a second id, %d objects out of order, %d ids with two bodies", c.lost, c.extra, c.disordered, c.reused)
}

// compare holds the receipts against what was written. With exact both must be the same, object by object. Without it
// saves may be merged into later ones: what came must be in order, every status and every delete must be there, and
// the last change of every object.
func (r *receipts) compare(want map[string][]change, exact bool) comparison {
	c := comparison{reused: r.reused}
	for key, changes := range want {
		got := r.byKey[key]
		if exact {
			exactly(&c, got, changes)
		} else {
			merged(&c, got, changes)
		}
	}
	return c
}

// shown is a change as a payload shows it: a delete has no number.
func shown(changes []change) []change {
	all := slices.Clone(changes)
	for i := range all {
		if all[i].kind == "delete" {
			all[i].n = 0
		}
	}
	return all
}

func exactly(c *comparison, got, want []change) {
	want = shown(want)
	count := map[change]int{}
	for _, w := range want {
		count[w]++
	}
	for _, g := range got {
		count[g]--
	}
	wrong := false
	for _, n := range count {
		c.lost += max(n, 0)
		c.extra += max(-n, 0)
		wrong = wrong || n != 0
	}
	if !wrong && !slices.Equal(got, want) {
		c.disordered++
	}
}

func merged(c *comparison, got, want []change) {
	if lastState(got) != lastState(shown(want)) {
		c.lost++
	}
	missing := map[change]int{}
	for _, w := range shown(want) {
		if w.kind != "save" {
			missing[w]++
		}
	}
	seen := map[change]bool{}
	state, status, deletes := 0, 0, 0 // the last number of the object's rows, of its statuses; deletes so far
	for _, g := range got {
		n := &state
		switch g.kind {
		case "delete": // its number is that of the next delete written
			deletes++
			missing[g]--
			g.n = nthDelete(want, deletes)
		case "status": // in its window it may stand behind a save that is younger
			n = &status
			missing[g]--
		}
		if seen[g] && g.kind == "save" {
			c.extra++
		}
		if seen[g] = true; g.n < *n {
			c.disordered++
		}
		*n = g.n
	}
	for _, n := range missing {
		c.lost += max(n, 0)
		c.extra += max(-n, 0)
	}
}

// lastState is the last change of an object's row.
func lastState(changes []change) change {
	for _, c := range slices.Backward(changes) {
		if c.kind != "status" {
			return c
		}
	}
	return change{}
}

// nthDelete is the number of an object's nth delete.
func nthDelete(changes []change, nth int) int {
	for _, c := range changes {
		if c.kind == "delete" {
			if nth--; nth == 0 {
				return c.n
			}
		}
	}
	return 0
}
