package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Name  string        `yaml:"name"`
	Count int64         `yaml:"count"`
	On    bool          `yaml:"on"`
	Wait  time.Duration `yaml:"wait"`
	Keys  Strings       `yaml:"keys"`
	List  []string      `yaml:"list"`
	Items []struct {
		URL string `yaml:"url"`
	} `yaml:"items"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var got sample
	src, err := Decode("a.yaml", []byte(`
name: 007
count: -12
on: true
wait: 1m30s
keys: one
list: [C, N, "$$5", ~x]
items:
  - url: &u http://a
  - url: *u
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	want := sample{Name: "007", Count: -12, On: true, Wait: 90 * time.Second, Keys: Strings{"one"}, List: []string{"C", "N", "$5", "~x"}}
	want.Items = make([]struct {
		URL string `yaml:"url"`
	}, 2)
	want.Items[0].URL, want.Items[1].URL = "http://a", "http://a"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for key, place := range map[string]string{"list[2]": "a.yaml:7", "items[1].url": "a.yaml:10", "items[1].nothing": "a.yaml:10", "no": "a.yaml:1"} {
		if src.Place(key) != place {
			t.Errorf("Place(%q) = %s, want %s", key, src.Place(key), place)
		}
	}
	if !src.Has("items[0].url") || src.Has("items[2]") || src.Raw("list[2]") != "$$5" {
		t.Error("Has or Raw is wrong")
	}
}

func TestDecodeKeepsWhatIsNotSet(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "---\n", "name:\ncount: ~\n", "null"} {
		got := sample{Name: "kept", Count: 5}
		if _, err := Decode("a.yaml", []byte(text), &got); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got.Name != "kept" || got.Count != 5 {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\nnme: x":                 `a.yaml:2: nme: unknown key; did you mean name? Known keys: name, count, on, wait, keys, list, items`,
		"name: a\nname: b":         `a.yaml:2: name: is set twice, first in line 1; remove one`,
		"items:\n- {url: a, x: 1}": `a.yaml:2: items[0].x: unknown key; known keys: url`,
		"count: 1.5":               `a.yaml:1: count: "1.5" is not a whole number; write digits only`,
		"count: [1]":               `a.yaml:1: count: must be a single value; write it on the key's line`,
		"on: yes":                  `a.yaml:1: on: "yes" is neither true nor false; write one of them`,
		"wait: 5":                  `a.yaml:1: wait: "5" is not a duration; write for example 500ms, 10s or 120h`,
		"list: C":                  `a.yaml:1: list: must be a list; write [a, b], or one - line for each item`,
		"keys: {a: b}":             `a.yaml:1: keys: must be a list; write [a, b], or one - line for each item`,
		"list: [a, ]\nitems: [a]":  `a.yaml:2: items[0]: must be a mapping; write key: value lines`,
		"list:\n- a\n-":            `a.yaml:3: list[1]: is empty; give it a value or remove it`,
		"- a":                      `a.yaml:1: must be a mapping; write key: value lines`,
		"name: !!binary aGk=":      `a.yaml:1: name: has the YAML tag "!!binary"; remove it`,
		"name: !x a":               `a.yaml:1: name: has the YAML tag "!x"; remove it`,
		"<<: {name: a}":            `a.yaml:1: "<<": merge keys are not supported; write the keys out`,
		"[a]: b":                   `a.yaml:1: has a key that is not plain text; known keys: name, count, on, wait, keys, list, items`,
		"name: a\n---\nname: b":    `a.yaml:2: holds a second YAML document; keep one, without --- lines between`,
		"name: 'a":                 `a.yaml: is not valid YAML: found unexpected end of stream; check the indentation and the quotes near this line`,
		"name: *x":                 `a.yaml: is not valid YAML: unknown anchor 'x' referenced; check the indentation and the quotes near this line`,
		"name: a$b":                `a.yaml:1: name: has a lone $; write $$ for a dollar, ${NAME} for an environment variable`,
		"name: a$":                 `a.yaml:1: name: has a lone $; write $$ for a dollar, ${NAME} for an environment variable`,
		"name: ${A":                `a.yaml:1: name: has a lone $; write $$ for a dollar, ${NAME} for an environment variable`,
		"name: ${A B}":             `a.yaml:1: name: has "${A B}", which is no name of an environment variable; write ${NAME}, ${file:PATH}, or $$ for a dollar`,
		"name: ${ROWHOOK_NOT_SET}": `a.yaml:1: name: needs the environment variable ROWHOOK_NOT_SET, which is not set; set it, or write $$ for a dollar`,
		"name: ${file:}":           `a.yaml:1: name: has ${file:} without a path; write ${file:PATH}`,
		"name: ${file:none.txt}":   `a.yaml:1: name: needs the file "none.txt", which cannot be read: no such file or directory`,
		"name: ${file:/dev/zero}":  `a.yaml:1: name: needs the file "/dev/zero", which is not a regular file; name one`,
		"count: x\non: x":          "a.yaml:1: count: \"x\" is not a whole number; write digits only\na.yaml:2: on: \"x\" is neither true nor false; write one of them",
	} {
		_, err := Decode("a.yaml", []byte(text), new(sample))
		if err == nil {
			t.Errorf("%q: no error, want %s", text, want)
			continue
		}
		if err.Error() != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, err, want)
		}
		if fault, ok := errors.AsType[*Error](err); !ok || fault.File != "a.yaml" {
			t.Errorf("%q: %T holds no *Error", text, err)
		}
	}
}

func TestDecodeBounds(t *testing.T) {
	t.Parallel()
	bomb := "list: &l [" + strings.Repeat("a,", 5000) + "]\nitems:\n" + strings.Repeat("- {url: a}\n", 10)
	wide := "items: &i [" + strings.Repeat("{url: a},", 60_000) + "]"
	for name, c := range map[string]struct{ text, want string }{
		"fits":   {bomb, ""},
		"size":   {strings.Repeat("#", maxFile+1), "is larger than 1024 KiB"},
		"values": {wide, "is one value too many"},
		"faults": {"items:\n" + strings.Repeat("- {x: a}\n", 5000), "has more faults than are shown"},
		"cycle":  {"items: &i [*i, *i]", "must be a mapping"},
		"depth":  {"list: " + strings.Repeat("[", 5000), "not valid YAML"},
	} {
		_, err := Decode("a.yaml", []byte(c.text), new(sample))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), "\n") > maxFaults {
			t.Errorf("%s: %d faults", name, strings.Count(err.Error(), "\n"))
		}
	}
}

func TestExpansion(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one", "hunter2\r\n")
	write("two", "a\n\n")
	write("big", strings.Repeat("x", maxSecretFile+1))
	write("binary", "\xff\xfe")
	t.Setenv("ROWHOOK_TEST", "s$cr${t}")
	t.Setenv("ROWHOOK_EMPTY", "")
	for text, want := range map[string]string{
		"${ROWHOOK_TEST}":                     "s$cr${t}", // what was expanded is not expanded again
		"a${ROWHOOK_EMPTY}b":                  "ab",
		"$$$${file:one}":                      "$${file:one}",
		"$$${file:one}$$":                     "$hunter2$",
		"${file:one}":                         "hunter2",
		"${file:two}|":                        "a\n|",
		"${file:" + dir + "/one}-${file:one}": "hunter2-hunter2",
	} {
		var got sample
		if _, err := Decode(filepath.Join(dir, "a.yaml"), []byte("name: '"+text+"'"), &got); err != nil || got.Name != want {
			t.Errorf("%s: got %q, %v, want %q", text, got.Name, err, want)
		}
	}
	write("most", strings.Repeat("x", maxSecretFile))
	for text, want := range map[string]string{
		"name: ${file:big}":       "is larger than 64 KiB",
		"name: ${file:binary}":    "is not UTF-8",
		"name: ${file:/dev/zero}": "is not a regular file",
		"name: " + strings.Repeat("${file:most}", maxExpanded/maxSecretFile+1): "expands to too much",
		"count: ${file:one}": `"${file:one}" is not a whole number`, // and not what the file holds
	} {
		_, err := Decode(filepath.Join(dir, "a.yaml"), []byte(text), new(sample))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nlist: [a, *b]\nitems: &i [{url: $$}, *i]\n"))
	f.Add([]byte("keys: |\n  a\n---\n"))
	f.Add([]byte("wait: 5m # comment\ncount: ${HOME}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := Decode("a.yaml", data, new(sample))
		if (src == nil) == (err == nil) {
			t.Fatalf("source %v with error %v", src, err)
		}
		if err == nil {
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "a.yaml:") {
				t.Errorf("a fault without its file, or over two lines: %q", err)
			}
		}
	})
}
