package loader

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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
		{filepath.Join(root, "elsewhere"), "it_IT", "Sunday Sun August August Aug pm"}, // there is none, which the log and check say
	} {
		names, _ := l.locales.of(test.root, test.locale)
		if got := string(render.AppendDate(nil, day, `l D \A\u\g\u\s\t F M a`, names)); got != test.want {
			t.Errorf("%s in %q: got %q, want %q", test.locale, test.root, got, test.want)
		}
	}
}

// TestClosedFolder: where WordPress' folder, or a pack in it, may not be read, names are the embedded ones, and that is said once; when it
// may be read they are the pack's.
func TestClosedFolder(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]string{"folder of a home": "", "folder of WordPress": "www", "pack": "www/wp-content/languages/it_IT.mo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			root := filepath.Join(home, "www")
			file := packFile(root, "it_IT")
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, pack("August", "d'agosto"), 0o644); err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(home, filepath.FromSlash(closed))
			info, err := os.Stat(at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(at, info.Mode()) })
			if err := os.Chmod(at, 0); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			l := New(nil, nil, Options{}, nil)
			august := func() string {
				names, err := l.locales.of(root, "it_IT")
				l.locales.tell(slog.New(slog.NewTextHandler(&log, nil)), "salon", "it_IT", err)
				return names.Months[7]
			}
			asNobody(t, func() {
				if got := august() + " " + august(); got != "agosto agosto" {
					t.Errorf("closed: %s", got)
				}
				if n := strings.Count(log.String(), "cannot be read"); n != 1 || !strings.Contains(log.String(), "site=salon") {
					t.Errorf("said %d times: %s", n, &log)
				}
			})
			if err := os.Chmod(at, info.Mode()); err != nil {
				t.Fatal(err)
			}
			if got := august(); got != "d'agosto" {
				t.Errorf("open again: %s", got)
			}
		})
	}
}

// asNobody does something with the rights of a user to whom files are closed. Root, to whom nothing is, gives up its rights for files
// on a thread of its own.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	do()
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	runtime.UnlockOSThread()
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
