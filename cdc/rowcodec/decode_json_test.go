package rowcodec

import (
	"encoding/binary"
	"testing"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/cdctest"
	"rowhook/cdc/wire"
)

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	// Each of a hundred entries of an array leads to the same next array, and so on.
	const entries, levels = 100, 40
	bomb := []byte{jsonSmallArray}
	for level := range levels {
		size := (levels - level) * (4 + 3*entries)
		bomb = binary.LittleEndian.AppendUint16(append(bomb, entries, 0), uint16(size))
		for range entries {
			bomb = binary.LittleEndian.AppendUint16(append(bomb, jsonSmallArray), 4+3*entries)
		}
	}
	bomb = append(bomb, 0, 0, 4, 0)
	for name, doc := range map[string][]byte{
		"unknown type":          {13, 0},
		"short integer":         {jsonInt64, 1, 2, 3},
		"unknown literal":       {jsonLiteral, 3},
		"short string":          {jsonString, 5, 'a'},
		"endless size":          {jsonString, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
		"short container":       {jsonSmallArray, 1, 0, 4},
		"size beyond the end":   {jsonSmallArray, 0, 0, 9, 0},
		"entries beyond size":   {jsonSmallArray, 9, 0, 4, 0},
		"count of four bytes":   {jsonLargeObject, 0xff, 0xff, 0xff, 0xff, 8, 0, 0, 0},
		"offset beyond the end": {jsonSmallArray, 1, 0, 7, 0, jsonString, 9, 0},
		"key beyond the end":    {jsonSmallObject, 1, 0, 11, 0, 11, 0, 5, 0, jsonLiteral, 0, 0},
		"itself":                {jsonSmallArray, 1, 0, 7, 0, jsonSmallArray, 0, 0},
		"decimal of no digits":  {jsonOpaque, 246, 2, 0, 0},
		"short decimal":         {jsonOpaque, 246, 3, 10, 2, 0},
		"short time":            {jsonOpaque, 12, 3, 10, 2, 0},
		"opaque without a type": {jsonOpaque},
		"bomb":                  bomb,
	} {
		if text, err := appendJSON(nil, doc); err == nil {
			t.Errorf("%s: it is %.200q", name, text)
		} else if len(text) > 10*len(doc)+200 {
			t.Errorf("%s: %d bytes of text were made", name, len(text))
		}
	}
	if text, err := appendJSON([]byte("x"), nil); err != nil || string(text) != "xnull" {
		t.Errorf("no bytes are %q, %v", text, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte{jsonSmallArray, 2, 0, 12, 0, jsonInt16, 1, 0, jsonString, 10, 0, 1, 'a'})
	f.Add([]byte{jsonSmallObject, 1, 0, 12, 0, 11, 0, 1, 0, jsonLiteral, 1, 0, 'k'})
	f.Add([]byte{jsonOpaque, 246, 4, 4, 2, 0x80, 50})
	f.Add([]byte{jsonOpaque, 12, 8, 0, 0, 0, 0x15, 0x18, 0x5f, 0x95, 0x19})
	f.Add([]byte{jsonOpaque, 15, 2, 1, 2})
	f.Add([]byte{jsonDouble, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
	eachCaptured(f, func(isMySQL bool, tableMap, event cdctest.Event) {
		if isMySQL {
			addDocuments(f, tableMap, event)
		}
	})
	f.Fuzz(func(t *testing.T, doc []byte) {
		text, err := appendJSON(nil, doc)
		if err == nil && (len(text) == 0 || !utf8.Valid(text)) {
			t.Fatalf("%x is %q", doc, text)
		}
		if len(text) > 16*len(doc)+512 {
			t.Fatalf("%d bytes became %d", len(doc), len(text))
		}
	})
}

// addDocuments adds the documents of the first row of an event to the seeds.
func addDocuments(f *testing.F, tableMap, event cdctest.Event) {
	f.Helper()
	m, err := ParseTableMap(mysql.MySQLFlavor, tableMap.Body())
	if err != nil {
		f.Fatal(err)
	}
	columns, _ := m.Columns()
	l, err := NewLayout(m, columns)
	if err != nil {
		f.Fatal(err)
	}
	h, rows, err := unpackedRows(byte(event.Type), event.Body())
	if err != nil {
		f.Fatal(err)
	}
	present := h.after
	if h.Op != Insert {
		present = h.before
	}
	_, data, err := l.nulls(present, rows) // no column is null
	if err != nil {
		f.Fatal(err)
	}
	for i := range l.fields {
		value, rest, ok := l.fields[i].cut(data)
		if !ok {
			f.Fatal(wire.ErrTruncated)
		}
		if data = rest; l.fields[i].how == asJSON {
			f.Add(value)
		}
	}
}
