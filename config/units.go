package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written with its unit: 512MiB, 1GiB, 2GB.
type Size int64

// Every is the time between two requests of a rate, which is written as so many a second, minute or hour: 10/s, 600/m,
// 100/h. 0 is no rate.
type Every time.Duration

var sizes = []struct {
	unit  string
	bytes float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

func setSize(v reflect.Value, text string) string {
	const wrong = "is not a size; write for example 512MiB or 1GiB, or 0 for none"
	for _, s := range sizes {
		if digits, ok := strings.CutSuffix(text, s.unit); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
			if n *= s.bytes; err != nil || !(n >= 0) || n >= math.MaxInt64 || s.bytes == 1 && n != math.Trunc(n) {
				return wrong
			}
			v.SetInt(int64(n))
			return ""
		}
	}
	return wrong
}

func setEvery(v reflect.Value, text string) string {
	every, wrong := ParseEvery(text)
	if wrong == "" {
		v.SetInt(int64(every))
	}
	return wrong
}

// ParseEvery reads a rate; it says what is wrong with the text, if anything is.
func ParseEvery(text string) (every Every, wrong string) {
	digits, unit, _ := strings.Cut(text, "/")
	per, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[strings.TrimSpace(unit)]
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	switch {
	case !ok || err != nil || math.IsNaN(n):
		return 0, "is not a rate; write for example 10/s, 600/m or 100/h"
	case n <= 0 || float64(per)/n < float64(10*time.Microsecond) || float64(per)/n > float64(24*time.Hour):
		return 0, "must be from one a day to 100000/s"
	}
	return Every(float64(per) / n), ""
}
