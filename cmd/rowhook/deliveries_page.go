package main

import (
	"bufio"
	"context"
	"strings"
	"unicode/utf8"

	"rowhook/outbox"
)

// pageSize is how many deliveries are read at a time: the daemon's file is held for no longer, and so many are in memory.
const pageSize = 500

// pages hands over what a filter selects, in its order, and says how many that are.
func pages(ctx context.Context, log storedLog, f outbox.Filter, do func([]*outbox.Stored) error) (n int, err error) {
	left := f.Limit
	for f.Limit = pageSize; ; {
		if left > 0 {
			f.Limit = min(left-n, pageSize)
		}
		page, err := log.List(ctx, f)
		if err != nil {
			return n, err
		}
		if len(page) > 0 {
			if err := do(page); err != nil {
				return n, err
			}
			if last := page[len(page)-1].Seq; f.Newest {
				f.Before = last
			} else {
				f.After = last
			}
		}
		if n += len(page); len(page) == 0 || n == left { // a page of large payloads is short
			return n, nil
		}
	}
}

// columns writes a table as it comes: what was written stays, and columns only become wider.
type columns struct {
	w      *bufio.Writer
	rows   [][]string
	widths []int
}

func (c *columns) begun() bool { return c.widths != nil }

func (c *columns) add(cells ...string) {
	if c.widths == nil {
		c.widths = make([]int, len(cells))
	}
	for i, cell := range cells {
		c.widths[i] = max(c.widths[i], utf8.RuneCountInString(cell))
	}
	c.rows = append(c.rows, cells)
}

func (c *columns) flush() error {
	for _, row := range c.rows {
		for i, cell := range row {
			if i > 0 {
				cell = "  " + cell
			}
			if i < len(row)-1 {
				cell += strings.Repeat(" ", c.widths[i]-utf8.RuneCountInString(row[i]))
			}
			_, _ = c.w.WriteString(cell) // Flush says what goes wrong
		}
		_ = c.w.WriteByte('\n')
	}
	c.rows = c.rows[:0]
	return c.w.Flush()
}
