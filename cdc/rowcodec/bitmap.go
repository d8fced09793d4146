package rowcodec

import "math/bits"

// bitmap holds one bit per column, the first in the lowest bit of the first byte. Bits beyond its end are clear.
type bitmap []byte

func (b bitmap) has(i int) bool { return i>>3 < len(b) && b[i>>3]&(1<<(i&7)) != 0 }

// count is how many of the first bits are set.
func (b bitmap) count(most int) int {
	n := 0
	for i, c := range b[:min(len(b), bitmapSize(most))] {
		if left := most - 8*i; left < 8 {
			c &= 1<<left - 1
		}
		n += bits.OnesCount8(c)
	}
	return n
}

func bitmapSize(bits int) int { return (bits + 7) / 8 }
