package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/rules"
	"rowhook/scratch"
)

// apart puts every text of a row into a scratch file.
func apart(t *testing.T, row cdc.Row, pad *scratch.Pad) cdc.Row {
	t.Helper()
	var b cdc.RowBuilder
	for i := range row.Len() {
		kind := row.Kind(i)
		if kind != cdc.Text && kind != cdc.Binary {
			b.AddColumn(row, i)
			continue
		}
		v, err := pad.Put(func(w io.Writer) error { _, err := io.WriteString(w, row.Text(i)); return err })
		if err != nil {
			t.Fatal(err)
		}
		b.AddLarge(kind, v)
	}
	return b.Row()
}

// TestLargeTexts makes payloads of a row whose texts are in scratch files: they are those of the row in memory.
func TestLargeTexts(t *testing.T) {
	t.Parallel()
	files := scratch.In(t.TempDir())
	l := &Loader{opts: Options{Scratch: files}}
	site := &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}
	columns := []string{"id", "status", "notes", "image", "log"}
	odd := strings.Repeat("größe €\U0001F600\"\\n\x01\x7f</script>", 7000)
	var b cdc.RowBuilder
	b.AddText(cdc.Int, "12")
	b.AddText(cdc.Text, "C")
	b.AddText(cdc.Text, odd)
	b.AddText(cdc.Binary, strings.Repeat("\x00\xff\x80", 50_000)+"ab")
	b.AddText(cdc.Null, "")
	row := b.Row()
	for _, action := range []string{"appointment.save", "appointment.status_change"} {
		a, err := rules.ParseAction(action)
		if err != nil {
			t.Fatal(err)
		}
		ev := &rules.Event{
			Site: site, Action: a, IDs: []int64{12}, Insert: true, Status: "C",
			Table: cdc.NewTable(site.Table("t"), columns, []int{0}), Row: row,
		}
		for _, load := range []rules.Load{rules.Basic, rules.Full} {
			ev.Rules = append(ev.Rules, &rules.Rule{Name: string(rune('a' + load)), Load: load})
		}
		if a.Kind == rules.StatusChange {
			ev.Rules = ev.Rules[:1]
		}
		want, ok := l.Immediate(ev)
		if !ok {
			t.Fatal("it is not made at once")
		}
		ev.Row = apart(t, row, scratch.NewPad(files))
		got, ok := l.Immediate(ev)
		if !ok || len(got) != len(want) {
			t.Fatalf("%d payloads, want %d", len(got), len(want))
		}
		for i, p := range got {
			text, err := io.ReadAll(scratch.Reader(p.Large))
			if err != nil || p.Body != nil || !bytes.Equal(text, want[i].Body) || !json.Valid(text) {
				t.Errorf("%s, rule %s: %d bytes, want %d, or others; %v", action, p.Rule.Name, len(text), len(want[i].Body), err)
			}
		}
	}
}

// TestLargeTextsAreLookedInto: a payload that shows what stands in a large text, or is ruled by it, sees it; where it cannot
// be read that is an error.
func TestLargeTextsAreLookedInto(t *testing.T) {
	t.Parallel()
	pad := scratch.NewPad(scratch.In(t.TempDir()))
	var b cdc.RowBuilder
	b.AddText(cdc.Text, `{"fields": ["größe"]}`)
	r := record{cdc.NewTable(cdc.TableName{}, []string{"custom_f"}, nil), apart(t, b.Row(), pad)}
	if got := r.text("custom_f"); got != `{"fields": ["größe"]}` {
		t.Errorf("got %q", got)
	}
	look := func() (err error) {
		defer recovered(&err)
		_ = r.text("custom_f")
		return nil
	}
	bad := scratch.NewPad(func() (scratch.File, error) { return badFile{}, nil })
	r.row = apart(t, b.Row(), bad)
	if err := look(); !errors.Is(err, errBadFile) {
		t.Errorf("of a file that cannot be read: %v", err)
	}
}

var errBadFile = errors.New("the disk reports an error")

// badFile takes everything and gives nothing back.
type badFile struct{ scratch.File }

func (badFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (badFile) ReadAt([]byte, int64) (int, error)      { return 0, errBadFile }

// TestNoRoomForAPayload leaves an event whose payload finds no room to Load, which says why.
func TestNoRoomForAPayload(t *testing.T) {
	t.Parallel()
	var b cdc.RowBuilder
	b.AddText(cdc.Text, "text")
	site := &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}
	a, err := rules.ParseAction("appointment.save")
	if err != nil {
		t.Fatal(err)
	}
	ev := &rules.Event{
		Site: site, Action: a, IDs: []int64{12}, Insert: true, Table: cdc.NewTable(site.Table("t"), []string{"id"}, nil),
		Row: apart(t, b.Row(), scratch.NewPad(scratch.In(t.TempDir()))), Rules: []*rules.Rule{{Load: rules.Full}},
	}
	l := &Loader{opts: Options{Scratch: scratch.In(t.TempDir() + "/none")}}
	if _, ok := l.Immediate(ev); ok {
		t.Error("it was made")
	}
	if _, err := l.Load(t.Context(), []*rules.Event{ev}); err == nil || !strings.Contains(err.Error(), "scratch file") {
		t.Errorf("%v", err)
	}
}
