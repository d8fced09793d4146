package loader

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDates(t *testing.T) {
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
		{time.Date(2027, 1, 1, 0, 0, 0, 0, zone("Asia/Dubai")), "T", "+04:00"},
	}
	for _, test := range tests {
		if got := string(appendDate(nil, test.time, test.format, &english)); got != test.want {
			t.Errorf("%q of %s is %q, want %q", test.format, test.time, got, test.want)
		}
	}
}

func TestLocales(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	folder := filepath.Join(root, "wp-content", "languages")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"it_IT": pack("August", "agosto", "August abbreviation\x04Aug", "Ago", "Sunday", "domenica", "pm", "di sera"),
		"pl_PL": pack("August", "sierpień", "genitive\x04August", "sierpnia", "decline months names: on or off\x04off", "on"),
		"xx":    []byte("no pack"),
		"yy":    pack("August", "agosto")[:30],
	} {
		if err := os.WriteFile(filepath.Join(folder, name+".mo"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := New(nil, nil, Options{}, nil)
	day := time.Date(2027, 8, 15, 20, 0, 0, 0, time.UTC)
	for _, test := range []struct{ root, locale, want string }{
		{root, "it_IT", "domenica Sun August agosto Ago di sera"},
		{root, "pl_PL", "Sunday Sun August sierpień Aug pm"},
		{root, "", "Sunday Sun August August Aug pm"},
		{root, "de_DE", "Sunday Sun August August Aug pm"}, // WordPress has no pack, so it is English
		{root, "xx", "Sunday Sun August August Aug pm"},
		{root, "yy", "Sunday Sun August August Aug pm"},
		{root, "../../etc/x", "Sunday Sun August August Aug pm"},
		{"", "it_IT", "domenica Dom August agosto Ago pm"},
		{"", "de_DE_formal", "Sonntag So. August August Aug. pm"},
		{"", "ja", "Sunday Sun August August Aug pm"},
	} {
		if got := string(appendDate(nil, day, `l D \A\u\g\u\s\t F M a`, l.locales.of(test.root, test.locale))); got != test.want {
			t.Errorf("%s in %q: got %q, want %q", test.locale, test.root, got, test.want)
		}
	}
}

func TestMonthsBesideDays(t *testing.T) {
	t.Parallel()
	n := english
	n.declines, n.genitive[7] = true, "OF"
	day := time.Date(2027, 8, 15, 20, 0, 0, 0, time.UTC)
	for format, want := range map[string]string{
		"j F Y": "15 OF 2027", "j. F": "15. OF", "d F": "15 OF", "F j, Y": "OF 15, 2027", "F Y": "August 2027", "F": "August", "jF": "15August",
		"j-F": "15-August", "l F": "Sunday August", " F": " August", ". F": ". August",
	} {
		if got := string(appendDate(nil, day, format, &n)); got != want {
			t.Errorf("%q is %q, want %q", format, got, want)
		}
	}
}

// pack makes a .mo file of texts and their translations.
func pack(texts ...string) []byte {
	n := len(texts) / 2
	header := 28
	b := binary.LittleEndian.AppendUint32(nil, 0x950412de)
	for _, v := range []int{0, n, header, header + 8*n, 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	at := header + 16*n
	var data []byte
	for side := range 2 {
		for i := range n {
			text := texts[2*i+side]
			b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
			b = binary.LittleEndian.AppendUint32(b, uint32(at+len(data)))
			data = append(append(data, text...), 0)
		}
	}
	return append(b, data...)
}

func FuzzPack(f *testing.F) {
	f.Add(pack("August", "agosto"))
	f.Add([]byte{0xde, 0x12, 0x04, 0x95, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(_ *testing.T, data []byte) { parsePack(data) })
}
