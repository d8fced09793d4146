package loader

import (
	"context"
	"math"
)

// First is a number below the key of every row, where that is one whole number.
func (x Existing) First() int64 {
	if x.Entity.Custom {
		return math.MinInt64
	}
	return -1
}

// key is the column that rows are read by, where that is one whole number.
func (x Existing) key(ctx context.Context, conn *lease) (string, error) {
	if !x.Entity.Custom {
		return x.Entity.Key[0], nil
	}
	parts, err := x.keyParts(ctx, conn)
	if err != nil {
		return "", err
	}
	if !isNumber(parts) {
		return "", &SelectionError{"the primary key of table " + x.table().String() + " is no whole number any more; begin another backfill"}
	}
	return parts[0].name, nil
}
