package loader

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rowhook/loader/render"
)

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
	if err := syscall.Mkfifo(filepath.Join(folder, "zz.mo"), 0o600); err != nil {
		t.Fatal(err)
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
		{root, "zz", "Sunday Sun August August Aug pm"}, // a pipe, which nobody writes to
		{root, "../../etc/x", "Sunday Sun August August Aug pm"},
		{"", "it_IT", "domenica Dom August agosto Ago pm"},
		{"", "de_DE_formal", "Sonntag So. August August Aug. pm"},
		{"", "ja", "Sunday Sun August August Aug pm"},
	} {
		if got := string(render.AppendDate(nil, day, `l D \A\u\g\u\s\t F M a`, l.locales.of(test.root, test.locale))); got != test.want {
			t.Errorf("%s in %q: got %q, want %q", test.locale, test.root, got, test.want)
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
