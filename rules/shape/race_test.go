//go:build race

package shape

// The race detector makes all slow.
const (
	slowdown = 10
	largest  = 64 << 10
)
