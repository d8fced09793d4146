package relay

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rowhook/regular"
)

// TestFile: what is printed says what it relays, and nothing that is no name gets into the PHP.
func TestFile(t *testing.T) {
	t.Parallel()
	for _, hooks := range [][]string{{"add_item_cart"}, {"a", "b.c-d", strings.Repeat("x", 120)}, nil} {
		text, err := File(hooks)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := parseFile([]byte(text))
		if !ok || r.Version != Version || !slices.Equal(r.Hooks, hooks) {
			t.Errorf("got %+v, want %q", r, hooks)
		}
		if strings.Contains(text, hooksMark) {
			t.Error("the mark is left")
		}
	}
	for _, hook := range []string{"", "a'b", "a\nb", "a b", "ü", strings.Repeat("x", 121), "a\\"} {
		if _, err := File([]string{hook}); err == nil {
			t.Errorf("%q is taken", hook)
		}
	}
}

// TestReadFile: what stands in the file's place is not waited for.
func TestReadFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if r, err := ReadFile(root); r != nil || err != nil {
		t.Errorf("without one: got %+v, %v", r, err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(Path(root)), 0o700), syscall.Mkfifo(Path(root), 0o600)); err != nil {
		t.Fatal(err)
	}
	if r, err := ReadFile(root); r != nil || !errors.Is(err, regular.ErrIrregular) {
		t.Errorf("a pipe: got %+v, %v", r, err)
	}
}

func TestParseOption(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]*Relayed{
		"1 2026-11-29 add_item_cart,empty_cart": {1, "2026-11-29", []string{"add_item_cart", "empty_cart"}},
		"2 2026-11-29 ":                         {2, "2026-11-29", nil},
		"1 2026-11-29 a,<b>,,c":                 {1, "2026-11-29", []string{"a", "c"}},
		"":                                      nil,
		"a:1:{}":                                nil,
	} {
		got, ok := parseOption(value)
		if ok != (want != nil) || ok && (got.Version != want.Version || got.Seen != want.Seen || !slices.Equal(got.Hooks, want.Hooks)) {
			t.Errorf("%q: got %+v", value, got)
		}
	}
}

// TestState names the first thing that is wrong.
func TestState(t *testing.T) {
	t.Parallel()
	all := &Relayed{Version, "2026-11-29", []string{"a", "b"}}
	for want, is := range map[string]Installed{
		"its table is not there":                     {Relayed: all},
		"its table is not there, or may not be read": {Hidden: "`s`.`wp_rowhook_relay`", Relayed: all},
		"its table has no column kind":               {Engine: "InnoDB", Misses: []string{"kind"}, Relayed: all},
		"but no page was made with its file":         {Engine: "InnoDB"},
		"relays a; a page was last made with it on":  {Engine: "InnoDB", Relayed: &Relayed{Version, "2026-11-29", []string{"a"}}},
		"it is of version 0, and this is":            {Engine: "InnoDB", Relayed: &Relayed{0, "2026-11-29", []string{"a", "b"}}},
	} {
		if says, fix, ok := is.State([]string{"a", "b"}); ok || fix == "" || !strings.Contains(says, want) {
			t.Errorf("says %q, %q, %t; want %q", says, fix, ok, want)
		}
	}
	many := &Relayed{Version, "2026-11-29", strings.Split("abcdefghijklmnopqrst", "")}
	if says, _, ok := (Installed{Engine: "BLACKHOLE", Relayed: many}).State([]string{"b", "s"}); !ok || !strings.Contains(says, "i, j, k, l") || !strings.HasSuffix(says, "; rules want b, s") {
		t.Error(says)
	}
}

func FuzzParse(f *testing.F) {
	text, err := File([]string{"add_item_cart", "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("1 2026-11-29 add_item_cart,empty_cart")
	f.Fuzz(func(t *testing.T, text string) {
		file, inFile := parseFile([]byte(text))
		option, inOption := parseOption(text)
		for ok, r := range map[bool]*Relayed{inFile: file, inOption && !inFile: option} {
			if !ok {
				continue
			}
			for _, h := range r.Hooks {
				if _, err := File([]string{h}); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
