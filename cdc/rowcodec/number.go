package rowcodec

import (
	"math"
	"strconv"

	"rowhook/cdc/wire"
)

// maxDecimalDigits is the largest precision of a DECIMAL.
const maxDecimalDigits = 65

// digitsPerGroup decimal digits are stored in four bytes; fewer take the bytes that groupSize says.
const digitsPerGroup = 9

// groupSize is the size in bytes of a group of digits.
func groupSize(digits int) int { return [digitsPerGroup + 1]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}[digits] }

// decimalSize is the size in bytes of a DECIMAL(digits,scale).
func decimalSize(digits, scale int) int {
	whole := digits - scale
	return whole/digitsPerGroup*4 + groupSize(whole%digitsPerGroup) + scale/digitsPerGroup*4 + groupSize(scale%digitsPerGroup)
}

// appendDecimal adds a DECIMAL(digits,scale), whose value has decimalSize bytes: groups of digits in big-endian
// order, the short group outermost on each side of the point. The first bit is the inverted sign, and the bytes of a
// negative number are inverted. See decimal2bin in MySQL's strings/decimal.cc.
func appendDecimal(text, value []byte, digits, scale int) []byte {
	flip, sign := uint32(0), value[0]&0x80 == 0
	if sign {
		flip = math.MaxUint32
		text = append(text, '-')
	}
	var copied [9 * 4]byte // the sign bit is undone in a copy: the event is not ours
	value = copied[:copy(copied[:], value)]
	value[0] ^= 0x80
	start := len(text)
	group := func(digits int) {
		size := groupSize(digits)
		if size == 0 {
			return
		}
		n := (uint32(wire.BigEndian(value[:size])) ^ flip) & uint32(1<<(8*size)-1)
		value = value[size:]
		if len(text) == start { // no leading zeros
			if n != 0 {
				text = strconv.AppendUint(text, uint64(n), 10)
			}
			return
		}
		text = appendPadded(text, n, digits)
	}
	whole := digits - scale
	group(whole % digitsPerGroup)
	for range whole / digitsPerGroup {
		group(digitsPerGroup)
	}
	if len(text) == start {
		text = append(text, '0')
	}
	if scale == 0 {
		return text
	}
	text = append(text, '.')
	for range scale / digitsPerGroup {
		group(digitsPerGroup)
	}
	group(scale % digitsPerGroup)
	return text
}

// appendPadded adds the last digits of n, with leading zeros.
func appendPadded(text []byte, n uint32, digits int) []byte {
	var b [digitsPerGroup]byte
	for i := digits - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(text, b[:digits]...)
}

// A FLOAT is printed with six digits, a DOUBLE with as many as are needed to read it back.
const (
	floatDigits    = 6
	asManyAsNeeded = 0
)

// appendFixed is my_fcvt of the servers' strings/dtoa.c: the shortest digits that read back as v, cut to scale.
func appendFixed(text []byte, v float64, scale int) []byte {
	start := len(text)
	text = strconv.AppendFloat(text, v, 'f', -1, 64)
	behind := 0
	for i := start; i < len(text); i++ {
		if text[i] == '.' {
			behind = len(text) - i - 1
		}
	}
	if behind > scale {
		return strconv.AppendFloat(text[:start], v, 'f', scale, 64)
	}
	if behind == 0 && scale > 0 {
		text = append(text, '.')
	}
	for ; behind < scale; behind++ {
		text = append(text, '0')
	}
	return text
}

// appendShort is my_gcvt of the servers' strings/dtoa.c: plain digits while the point is near, an exponent otherwise.
// Zeros at the end go.
func appendShort(text []byte, v float64, digits int) []byte {
	var scratch [32]byte
	e := strconv.AppendFloat(scratch[:0], v, 'e', digits-1, 64) // -d.ddde+dd
	if e[0] == '-' {
		text = append(text, '-')
		e = e[1:]
	}
	if e[0] < '0' || e[0] > '9' { // infinite or no number, which the servers do not store
		return append(text, '0')
	}
	mantissa := len(e) - 1
	for e[mantissa] != 'e' {
		mantissa--
	}
	exponent, _ := strconv.Atoi(string(e[mantissa+1:]))
	significant := e[:mantissa]
	if len(significant) > 1 { // over the point
		significant = append(significant[:1], significant[2:]...)
	}
	for len(significant) > 1 && significant[len(significant)-1] == '0' {
		significant = significant[:len(significant)-1]
	}
	return appendDigits(text, significant, exponent+1)
}

// appendDigits writes 0.digits * 10^point. The limit of 15 is MAX_DECPT_FOR_F_FORMAT.
func appendDigits(text, digits []byte, point int) []byte {
	switch {
	case point < -14 || point > 15 && len(digits) <= point:
		text = append(text, digits[0])
		if len(digits) > 1 {
			text = append(append(text, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(text, 'e'), int64(point-1), 10)
	case point <= 0:
		text = append(text, "0."...)
		for ; point < 0; point++ {
			text = append(text, '0')
		}
		return append(text, digits...)
	case point < len(digits):
		text = append(append(text, digits[:point]...), '.')
		return append(text, digits[point:]...)
	}
	text = append(text, digits...)
	for n := len(digits); n < point; n++ {
		text = append(text, '0')
	}
	return text
}
