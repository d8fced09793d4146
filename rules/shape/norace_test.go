//go:build !race

package shape

const (
	slowdown = 1
	largest  = 16 << 20
)
