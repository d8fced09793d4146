package loader

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"rowhook/cdc"
	"rowhook/cdc/rowcodec"
	"rowhook/cdc/schema"
	"rowhook/rules"
)

// countedServer counts who wants to ask it something, and is down.
type countedServer struct{ asked int }

func (s *countedServer) Connect(context.Context) (driver.Conn, error) {
	s.asked++
	return nil, errors.New("is down")
}

func (s *countedServer) Driver() driver.Driver { return nil }

// TestSpared: what a condition spares is not loaded: with all rules spared, or those that take a load, no SQL is made.
func TestSpared(t *testing.T) {
	t.Parallel()
	orders := schema.NewTable(cdc.TableName{Schema: "wp", Name: "wp_vikappointments_reservation"}, []string{"id", "status", "total_cost", "log"}, []int{0})
	row := func(status string, whole bool) cdc.Row {
		var b rowcodec.RowBuilder
		b.AddText(cdc.Int, "7")
		b.AddText(cdc.Text, status)
		if b.AddText(cdc.Decimal, "80.00"); whole {
			b.AddText(cdc.Text, "x")
		} else {
			b.AddOmitted()
		}
		return b.Row()
	}
	for name, c := range map[string]struct {
		rules []string // their load and their condition
		part  bool     // the log shows a part of the row only
		bare  bool     // an option changed: the row is not in the log
		want  int      // payloads, when nothing must be asked; -1: the server is asked
	}{
		"it does not hold":              {rules: []string{"extended after.status == 'P'"}, want: 0},
		"it holds":                      {rules: []string{"extended after.status == 'C'"}, want: -1},
		"it needs the payload":          {rules: []string{"extended after.status == 'P' && payload.id == '1'"}, want: -1},
		"another needs no load":         {rules: []string{"extended after.status == 'P'", "basic after.status == 'C'"}, want: 1},
		"another has no condition":      {rules: []string{"extended after.total_cost > 100", "basic "}, want: 1},
		"another needs a load":          {rules: []string{"extended after.status == 'P'", "extended "}, want: -1},
		"nobody can say":                {rules: []string{"extended int(after.status) > 1"}, want: -1},
		"it is not in the log":          {rules: []string{"extended after.log == 'y'"}, part: true, want: -1},
		"what it names is in the log":   {rules: []string{"extended after.status == 'P'"}, part: true, want: 0},
		"it takes the whole row":        {rules: []string{"extended len(after) == 9"}, part: true, want: -1},
		"the event says it":             {rules: []string{"extended event.type == 'insert'", "full site == 'spa'"}, want: 0},
		"the row is not in the log":     {rules: []string{"extended after.status == 'P'"}, bare: true, want: -1},
		"there was another row, and is": {rules: []string{"extended before == nil || before.status == after.status"}, want: 0},
		"all of several do not hold":    {rules: []string{"extended after.id == 1", "full after.id == 2", "basic after.id == 3"}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := &rules.Event{
				Site: &rules.Site{Name: "salon", Schema: "wp", Prefix: "wp_"}, Action: entity(t, "appointment.save"), IDs: []rules.Key{rules.NumberKey(7)},
				Table: orders, Before: row("P", true), Row: row("C", !c.part), Changed: []bool{false, true, false, false},
			}
			if c.bare {
				ev.Before, ev.Row = cdc.Row{}, cdc.Row{}
			}
			for i, r := range c.rules {
				var load, when string
				_, _ = fmt.Sscan(r, &load)
				if when = r[len(load)+1:]; when != "" {
					when = fmt.Sprintf(", when: %q", when)
				}
				parsed, err := rules.Parse("test.yaml", fmt.Appendf(nil, "rules: [{name: r%d, action: appointment.save, load: %s, url: 'http://127.0.0.1/'%s}]", i, load, when), nil)
				if err != nil {
					t.Fatal(err)
				}
				ev.Rules = append(ev.Rules, parsed...)
			}
			server := &countedServer{}
			l := New(sql.OpenDB(server), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
			payloads, made := l.Immediate(ev)
			if made != (c.want >= 0) || made && len(payloads) != c.want {
				t.Errorf("made at once: %t, %d payloads", made, len(payloads))
			}
			all, err := l.Load(t.Context(), []*rules.Event{ev})
			if asked := server.asked > 0; asked != (c.want < 0) || asked != (err != nil) {
				t.Errorf("the server was asked %d times: %v", server.asked, err)
			}
			if err == nil && len(all[0]) != c.want {
				t.Errorf("loaded: %d payloads", len(all[0]))
			}
			if len(ev.Rules) != len(c.rules) {
				t.Error("the event itself has lost rules")
			}
		})
	}
}
