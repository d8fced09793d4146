package config

import (
	"reflect"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "10": 10, "10B": 10, "1KiB": 1024, "512MiB": 512 << 20, "1GiB": 1 << 30, "1.5 GiB": 3 << 29, "2TiB": 2 << 40, "3MB": 3_000_000,
		"": -1, "B": -1, "GiB": -1, "1gib": -1, "-1MiB": -1, "1.5B": -1, "9999999999TiB": -1, "NaN": -1, "InfGiB": -1, "1GiB ": -1,
	} {
		n := Size(-1)
		wrong := setSize(reflect.ValueOf(&n).Elem(), text)
		if (wrong != "") != (want < 0) || int64(n) != want {
			t.Errorf("%q: %d, %s; want %d", text, n, wrong, want)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"10/s": 100 * time.Millisecond, "600/m": 100 * time.Millisecond, "100/h": 36 * time.Second, "0.5/s": 2 * time.Second, "1 / m": time.Minute,
		"100000/s": 10 * time.Microsecond,
		"":         -1, "10": -1, "/s": -1, "10/": -1, "10/d": -1, "0/s": -1, "-1/s": -1, "NaN/s": -1, "Inf/s": -1, "1000000/s": -1, "0.00001/h": -1,
	} {
		n := Every(-1)
		wrong := setEvery(reflect.ValueOf(&n).Elem(), text)
		if (wrong != "") != (want < 0) || time.Duration(n) != want {
			t.Errorf("%q: %v, %s; want %v", text, time.Duration(n), wrong, want)
		}
	}
}
