package render

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

// TestDatesOfPHP holds all letters and all zones against what PHP 8.2 printed (testdata/dates.php).
func TestDatesOfPHP(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "dates.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(data)) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "\t") // zone, seconds, format, text
		if len(part) != 4 {
			t.Fatalf("not a line of four parts: %q", line)
		}
		zone, err := time.LoadLocation(part[0])
		if err != nil {
			t.Fatal(err)
		}
		seconds, err := strconv.ParseInt(part[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendDate(nil, time.Unix(seconds, 0).In(zone), part[2], English())); got != part[3] {
			t.Errorf("%s at %s: %s is %q, PHP says %q", part[0], part[1], part[2], got, part[3])
		}
		lines++
	}
	if lines < 1000 {
		t.Errorf("only %d lines", lines)
	}
}

func TestDateLetters(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		l, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	morning := time.Date(2027, 2, 3, 4, 5, 6, 7_008_000, zone("Europe/Rome"))
	noon := time.Date(2028, 12, 31, 12, 0, 0, 0, zone("America/New_York"))
	midnight := time.Date(2027, 6, 22, 0, 30, 0, 0, time.UTC)
	tests := []struct {
		time         time.Time
		format, want string
	}{
		{morning, "d D j l N S w z", "03 Wed 3 Wednesday 3 rd 3 33"},
		{morning, "W o F m M n t L Y y X x", "05 2027 February 02 Feb 2 28 0 2027 27 +2027 2027"},
		{morning, "a A B g G h H i s u v", "am AM 170 4 4 04 04 05 06 007008 007"},
		{morning, "e I O P p T Z", "Europe/Rome 0 +0100 +01:00 +01:00 CET 3600"},
		{morning, "c | r | U", "2027-02-03T04:05:06+01:00 | Wed, 03 Feb 2027 04:05:06 +0100 | 1801623906"},
		{noon, "N w W o z t L a A g h S", "7 0 52 2028 365 31 1 pm PM 12 12 st"},
		{noon, "I T P", "0 EST -05:00"},
		{midnight, "a g G h H S p T Z e", "am 12 0 12 00 nd Z UTC 0 UTC"},
		{time.Date(2027, 7, 11, 23, 0, 0, 0, zone("Europe/London")), "I T jS G:i", "1 BST 11th 23:00"},
		{time.Date(2021, 1, 3, 0, 0, 0, 0, time.UTC), "W o", "53 2020"},
		{morning, `\d\e j \F \\ kq`, `de 3 F \ kq`},
		{morning, `j\`, "3"},
		{morning, "", ""},
		{time.Date(2027, 1, 1, 0, 0, 0, 0, zone("Asia/Dubai")), "T", "+04"},
	}
	for _, test := range tests {
		if got := string(AppendDate(nil, test.time, test.format, English())); got != test.want {
			t.Errorf("%q of %s is %q, want %q", test.format, test.time, got, test.want)
		}
	}
}

func TestMonthsBesideDays(t *testing.T) {
	t.Parallel()
	n := English()
	n.Declines, n.Genitive[7] = true, "OF"
	day := time.Date(2027, 8, 15, 20, 0, 0, 0, time.UTC)
	for format, want := range map[string]string{
		"j F Y": "15 OF 2027", "j. F": "15. OF", "d F": "15 OF", "F j, Y": "OF 15, 2027", "F Y": "August 2027", "F": "August", "jF": "15August",
		"j-F": "15-August", "l F": "Sunday August", " F": " August", ". F": ". August",
	} {
		if got := string(AppendDate(nil, day, format, n)); got != want {
			t.Errorf("%q is %q, want %q", format, got, want)
		}
	}
}

// What is no date is one all the same, as in PHP.
func TestTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2027-02-03 04:05:06":        "2027-02-03 04:05:06",
		"2027-02-03 04:05:06.789":    "2027-02-03 04:05:06",
		"2027-02-03":                 "2027-02-03 00:00:00",
		"0000-00-00 00:00:00":        "-0001-11-30 00:00:00",
		"2026-00-10 00:00:00":        "2025-12-10 00:00:00",
		"2026-02-31 00:00:00":        "2026-03-03 00:00:00",
		"":                           "-0001-11-30 00:00:00",
		"no date":                    "-0001-11-30 00:00:00",
		"99999999999999999999-01-01": "",
	} {
		got := string(AppendDate(nil, Time(text), "Y-m-d H:i:s", English()))
		if want != "" && got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

// Offsets are zones too, as PHP has them.
func TestOffsetZone(t *testing.T) {
	t.Parallel()
	noon := time.Date(2027, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"+02:00": "+02:00 GMT+0200 +02:00 14:00", "+0530": "+05:30 GMT+0530 +05:30 17:30", "-3": "-03:00 GMT-0300 -03:00 09:00",
		"+14:00": "+14:00 GMT+1400 +14:00 02:00", "+00:00": "+00:00 GMT+0000 Z 12:00", "-00:00": "+00:00 GMT+0000 Z 12:00",
		"+2:5": "+02:05 GMT+0205 +02:05 14:05", "+123": "+01:23 GMT+0123 +01:23 13:23",
	} {
		zone := OffsetZone(name)
		if zone == nil {
			t.Errorf("%s is none", name)
		} else if got := string(AppendDate(nil, noon.In(zone), "e T p H:i", English())); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "+", "-", "UTC", "Europe/Rome", "+x", "+12345", "+1:2:3", "2", "+12:60", "++2", "+ 2"} {
		if zone := OffsetZone(name); zone != nil {
			t.Errorf("%q is %s", name, zone)
		}
	}
}
