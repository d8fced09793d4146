// Package config reads configuration: the daemon's own file, and the machinery that rule files share with it.
//
// Decode is strict where YAML is lenient. Unknown and doubled keys are faults, and so is a value of the wrong type; every
// fault of a file is reported at once, each with file, line, key, and what to do. Values may name the environment and
// files (${NAME}, ${file:PATH}, $$ for a dollar). A file is taken to be hostile: its size, its depth and what its aliases
// and expansions add up to are bounded.
package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"rowhook/words"
)

const (
	maxFile   = 1 << 20 // bytes of a configuration file
	maxValues = 100_000 // values of a file, each alias counted with all it stands for
)

func unknownKey(key string, known []string) string {
	if near := words.DidYouMean(key, known); near != "" {
		return "unknown key" + near + " Known keys: " + strings.Join(known, ", ")
	}
	return "unknown key; known keys: " + strings.Join(known, ", ")
}

// coreTags are the tags that plain YAML values have.
const coreTags = "!!map !!seq !!str !!int !!float !!bool !!null !!timestamp !!merge "

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
)

// Strings is one string or a list of strings.
type Strings []string

// Pair is a line of a mapping whose keys are a person's own, such as the headers of a request.
type Pair struct {
	Name, Value string
	Path        string // its key in the file: rules[0].headers.X-Api-Key
}

// Pairs are such a mapping, in the order of the file.
type Pairs []Pair

// Expand is a text with what it takes in from outside of the file, and what that is.
type Expand = func(text string) (expanded string, taken []string, err error)

// Tree is a value of any shape, for who reads it otherwise.
type Tree struct {
	Node   *yaml.Node // nil: it is not there
	Expand Expand
}

// Text is a single value as it is written, for who expands only parts of it.
type Text struct {
	Written string
	Expand  Expand
}

// DecodeFile reads a file of at most 1 MiB and decodes it. Every error is an *Error.
func DecodeFile(path string, into any) (*Source, error) {
	data, err := readFile(path, maxFile)
	if err != nil {
		return nil, &Error{File: path, Message: err.Error(), err: err}
	}
	return Decode(path, data, into)
}

// Decode reads the YAML document data into the struct that into points to; keys that the document does not set keep
// their value. It knows structs (fields with a yaml tag), slices, strings, whole numbers, booleans, durations, sizes and rates. path
// names the file in errors, and relative ${file:PATH} start from its folder. The error is one or more *Error, joined;
// without one, the Source takes what further checks find.
func Decode(path string, data []byte, into any) (*Source, error) {
	src := &Source{path: path, places: map[string]place{}, sum: sha256.Sum256(data)}
	if len(data) > maxFile {
		src.fault(0, "", "is larger than 1024 KiB; make it smaller")
		return nil, src.Err()
	}
	d := &decoder{src: src, expander: expander{dir: filepath.Dir(path), left: maxExpanded}}
	if root := d.parse(data); root != nil {
		d.value("", root, reflect.ValueOf(into).Elem())
	}
	src.files = d.expander.files
	if err := src.Err(); err != nil {
		return nil, err
	}
	return src, nil
}

type decoder struct {
	src      *Source
	expander expander
	values   int
	stopped  bool // too much was met
}

// parse returns the root of the one document in data, nil when it is empty or faulty.
func (d *decoder) parse(data []byte) *yaml.Node {
	var doc, next yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			d.syntax(err)
		}
		return nil
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		d.src.fault(next.Line, "", "holds a second YAML document; keep one, without --- lines between")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	case doc.Kind == yaml.DocumentNode && len(doc.Content) == 1:
		return doc.Content[0]
	}
	return nil
}

// syntax turns the parser's "yaml: line 3: ..." into a fault of that line.
func (d *decoder) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	d.src.fault(line, "", "is not valid YAML: "+text+"; check the indentation and the quotes near this line")
}

// value decodes n into v. How deep it goes is bounded by the types, even when an alias stands within what it stands for.
func (d *decoder) value(key string, n *yaml.Node, v reflect.Value) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if d.values++; d.values > maxValues {
		if !d.stopped {
			d.src.Faultf(key, "is one value too many; a file may hold %d, aliases counted with all they stand for", maxValues)
		}
		d.stopped = true
		return
	}
	if !strings.Contains(coreTags, n.ShortTag()+" ") {
		d.src.Faultf(key, "has the YAML tag %s; remove it", quote(n.Tag))
		return
	}
	if n.ShortTag() == "!!null" {
		return
	}
	switch v.Interface().(type) {
	case time.Duration:
		d.scalar(key, n, v, setDuration)
		return
	case Size:
		d.scalar(key, n, v, setSize)
		return
	case Every:
		d.scalar(key, n, v, setEvery)
		return
	case Tree:
		v.Set(reflect.ValueOf(Tree{n, d.expand}))
		return
	case Text:
		if d.noted(key, n) {
			v.Set(reflect.ValueOf(Text{n.Value, d.expand}))
		}
		return
	case Pairs:
		v.Set(reflect.ValueOf(d.pairs(key, n)))
		return
	case TLS:
		if n.Kind != yaml.ScalarNode {
			v.Set(reflect.ValueOf(TLS{Mode: VerifyFull}))
		}
	}
	if n.Kind == yaml.ScalarNode && d.short(key, n, v) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(key, n, v)
	case reflect.Slice:
		d.sequence(key, n, v)
	case reflect.String:
		d.scalar(key, n, v, setString)
	case reflect.Int, reflect.Int64:
		d.scalar(key, n, v, setInt)
	case reflect.Bool:
		d.scalar(key, n, v, setBool)
	default:
		panic("config: no decoding into " + v.Type().String())
	}
}

// short decodes a single value where more may be written; false: nothing may.
func (d *decoder) short(key string, n *yaml.Node, v reflect.Value) bool {
	switch v.Interface().(type) {
	case Strings:
		v.Set(reflect.ValueOf(make(Strings, 1)))
		d.scalar(key, n, v.Index(0), setString)
	case TLS:
		d.scalar(key, n, v.FieldByName("Mode"), setString)
	case Deliver:
		d.scalar(key, n, v.FieldByName("Only"), setOnly)
	default:
		return false
	}
	return true
}

func (d *decoder) mapping(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.src.Faultf(key, "must be a mapping; write key: value lines")
		return
	}
	names, fields := keysOf(v)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && !d.stopped; i += 2 {
		name := n.Content[i]
		path := join(key, name)
		field, known := fields[name.Value]
		switch {
		case name.Kind != yaml.ScalarNode:
			d.src.fault(name.Line, key, "has a key that is not plain text; known keys: "+strings.Join(names, ", "))
		case name.ShortTag() == "!!merge":
			d.src.fault(name.Line, path, "merge keys are not supported; write the keys out")
		case !known:
			d.src.fault(name.Line, path, unknownKey(name.Value, names))
		case seen[name.Value]:
			d.src.fault(name.Line, path, "is set twice, first in line "+strconv.Itoa(d.src.line(path))+"; remove one")
		default:
			seen[name.Value] = true
			d.src.places[path] = place{line: name.Line, null: n.Content[i+1].ShortTag() == "!!null"}
			d.value(path, n.Content[i+1], field)
		}
	}
}

func (d *decoder) pairs(key string, n *yaml.Node) (pairs Pairs) {
	if n.Kind != yaml.MappingNode {
		d.src.Faultf(key, "must be a mapping; write name: value lines")
		return nil
	}
	for i := 0; i+1 < len(n.Content) && !d.stopped; i += 2 {
		name := n.Content[i]
		path := join(key, name)
		switch _, twice := d.src.places[path]; {
		case name.Kind != yaml.ScalarNode:
			d.src.fault(name.Line, key, "has a key that is not plain text; write name: value lines")
			continue
		case name.ShortTag() == "!!merge":
			d.src.fault(name.Line, path, "merge keys are not supported; write the keys out")
			continue
		case twice:
			d.src.fault(name.Line, path, "is set twice, first in line "+strconv.Itoa(d.src.line(path))+"; remove one")
			continue
		}
		d.src.places[path] = place{line: name.Line}
		if n.Content[i+1].ShortTag() == "!!null" {
			d.src.Faultf(path, "is empty; give it a value or remove it")
			continue
		}
		pair := reflect.New(reflect.TypeFor[Pair]()).Elem()
		d.value(path, n.Content[i+1], pair.FieldByName("Value"))
		p, _ := reflect.TypeAssert[Pair](pair)
		p.Name, p.Path = name.Value, path
		pairs = append(pairs, p)
	}
	return pairs
}

func (d *decoder) sequence(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.src.Faultf(key, "must be a list; write [a, b], or one - line for each item")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, min(len(n.Content), 64)))
	for i, item := range n.Content {
		if d.stopped {
			return
		}
		path := key + "[" + strconv.Itoa(i) + "]"
		d.src.places[path] = place{line: item.Line}
		element := reflect.New(v.Type().Elem()).Elem()
		if item.ShortTag() == "!!null" {
			d.src.Faultf(path, "is empty; give it a value or remove it")
		}
		d.value(path, item, element)
		v.Set(reflect.Append(v, element))
	}
}

// scalar expands a value and hands it to set, which returns what is wrong with it.
func (d *decoder) scalar(key string, n *yaml.Node, v reflect.Value, set func(v reflect.Value, text string) (wrong string)) {
	if !d.noted(key, n) {
		return
	}
	text, err := d.expander.expand(n.Value)
	if err != nil {
		d.src.Faultf(key, "%w", err)
		return
	}
	if wrong := set(v, text); wrong != "" {
		d.src.Faultf(key, "%s %s", quote(n.Value), wrong)
	}
}

// noted notes where a single value is written; false when it is none.
func (d *decoder) noted(key string, n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		d.src.Faultf(key, "must be a single value; write it on the key's line")
		return false
	}
	at := d.src.places[key]
	at.raw, at.text, at.all = n.Value, FirstLine(n), n.Style&yaml.LiteralStyle != 0
	d.src.places[key] = at
	return true
}

// expand is for values that are read otherwise, once the rest of the file was read.
func (d *decoder) expand(text string) (string, []string, error) {
	read := len(d.expander.files)
	defer func() { d.src.files = append(d.src.files, d.expander.files[read:]...) }()
	return d.expander.taking(text)
}

// FirstLine is the line of a file that a value's text begins in: behind the mark of a block, | or >, not the mark's own.
func FirstLine(n *yaml.Node) int {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Line + 1
	}
	return n.Line
}

func setString(v reflect.Value, text string) string {
	v.SetString(text)
	return ""
}

func setInt(v reflect.Value, text string) string {
	i, err := strconv.ParseInt(text, 10, v.Type().Bits())
	if err != nil {
		return "is not a whole number; write digits only"
	}
	v.SetInt(i)
	return ""
}

func setBool(v reflect.Value, text string) string {
	if text != "true" && text != "false" {
		return "is neither true nor false; write one of them"
	}
	v.SetBool(text == "true")
	return ""
}

// setOnly is for `deliver: only`.
func setOnly(v reflect.Value, text string) string {
	if text != "only" {
		return "is not known; write only, or key: value lines"
	}
	v.SetBool(true)
	return ""
}

func setDuration(v reflect.Value, text string) string {
	t, err := time.ParseDuration(text)
	if err != nil {
		return "is not a duration; write for example 500ms, 10s or 120h"
	}
	v.SetInt(int64(t))
	return ""
}

// keysOf is the keys of a struct, in order, and its fields by key.
func keysOf(v reflect.Value) (names []string, fields map[string]reflect.Value) {
	fields = map[string]reflect.Value{}
	for field, value := range v.Fields() {
		name := field.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		fields[name] = value
		names = append(names, name)
	}
	return names, fields
}

// join is the path of a key; one that no struct can have is quoted.
func join(parent string, name *yaml.Node) string {
	text := name.Value
	if !plainKey.MatchString(text) {
		text = quote(text)
	}
	if parent == "" {
		return text
	}
	return parent + "." + text
}
