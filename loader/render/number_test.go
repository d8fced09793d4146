package render

import (
	"math"
	"testing"
)

// What PHP 8 prints of floats: json_encode with serialize_precision -1, and a cast with precision 14.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		f          float64
		json, cast string
	}{
		{0, "0", "0"},
		{100, "100", "100"},
		{25.5, "25.5", "25.5"},
		{-0.1, "-0.1", "-0.1"},
		{0.30000000000000004, "0.30000000000000004", "0.3"},
		{71.83000000000001, "71.83000000000001", "71.83"},
		{1e14, "100000000000000", "1.0E+14"},
		{1e15, "1000000000000000", "1.0E+15"},
		{1e16, "10000000000000000", "1.0E+16"},
		{1e17, "1.0e+17", "1.0E+17"},
		{123456789012345678, "1.2345678901234568e+17", "1.2345678901235E+17"},
		{0.0001, "0.0001", "0.0001"},
		{0.00001, "1.0e-5", "1.0E-5"},
		{1.5e-7, "1.5e-7", "1.5E-7"},
		{1e100, "1.0e+100", "1.0E+100"},
		{math.Inf(1), "0", "INF"},
		{math.NaN(), "0", "NAN"},
	} {
		if got := string(AppendNumber(nil, test.f)); got != test.json {
			t.Errorf("%g in JSON is %s, want %s", test.f, got, test.json)
		}
		if got := castFloat(test.f); got != test.cast {
			t.Errorf("%g as a text is %s, want %s", test.f, got, test.cast)
		}
	}
}

func TestFloat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want float64
	}{
		{"", 0}, {"12", 12}, {" 7", 7}, {"-2.50", -2.5}, {"+3", 3}, {".5", 0.5}, {"1.", 1}, {"12abc", 12}, {"1e3x", 1000}, {"1e", 1},
		{"abc", 0}, {"-", 0}, {".", 0}, {"0x1A", 0}, {"1_000", 1}, {"1,5", 1}, {"INF", 0}, {"nan", 0},
	} {
		if got := Float(test.text); got != test.want {
			t.Errorf("%q is %g, want %g", test.text, got, test.want)
		}
	}
}
