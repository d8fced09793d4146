package render

import (
	"math"
	"strconv"
	"strings"
)

// AppendNumber appends a float as PHP encodes it in JSON: the shortest text that reads back, with an exponent where its
// 17 digits do not reach. What JSON has no number for is 0.
func AppendNumber(b []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(b, '0')
	}
	return append(b, formatFloat(f, -1, 17, "e")...)
}

// castFloat is a float as PHP casts it to a string, with 14 digits.
func castFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NAN"
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	}
	const precision = 14
	return formatFloat(f, precision-1, precision, "E")
}

// formatFloat writes a float with a number of decimals behind the first digit (-1: as many as it takes), and with an
// exponent when it has more than most digits before the point or more than three zeros behind it.
func formatFloat(f float64, decimals, most int, exponent string) string {
	s := strconv.FormatFloat(f, 'e', decimals, 64)
	mantissa, power, _ := strings.Cut(s, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".")
	}
	n, _ := strconv.Atoi(power) // strconv wrote it
	if n >= -4 && n < most {
		shortest, _ := strconv.ParseFloat(mantissa+"e"+power, 64) // what is left after rounding to the decimals
		return strconv.FormatFloat(shortest, 'f', -1, 64)
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	return mantissa + exponent + sign + strconv.Itoa(n)
}

// Float is a text as PHP casts it to a float: as much of its beginning as is a number, else 0.
func Float(s string) float64 {
	s = strings.TrimLeft(s, " \t\n\r\v\f")
	f, _ := strconv.ParseFloat(s[:numberLen(s)], 64) // beyond its range it is infinite, as in PHP
	return f
}

// isNumeric says whether PHP compares a text as a number: spaces may stand around it.
func isNumeric(s string) bool {
	s = strings.Trim(s, " \t\n\r\v\f")
	n := numberLen(s)
	return n > 0 && n == len(s)
}

// numberLen is how many bytes at the beginning of s are a decimal number.
func numberLen(s string) int {
	i := 0
	digits := func() bool {
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	whole := digits()
	end := i
	if i < len(s) && s[i] == '.' {
		i++
		if digits() || whole {
			whole, end = true, i
		}
	}
	if !whole {
		return 0
	}
	if i = end; i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		if digits() {
			end = i
		}
	}
	return end
}
