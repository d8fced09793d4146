package events

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"rowhook/cdc"
)

// Rows that change for hours without a statement in the plugin's form are told of, once and again after hours.
func TestStrangeForms(t *testing.T) {
	t.Parallel()
	const rewritten = "UPDATE `wp_vikappointments_reservation` AS r SET `notes` = 'b', `locked_until` = '6' WHERE `id` = '1'"
	never := func(int) bool { return false }
	hourly := []int{120, 180, 240, 300, 360, 420, 480, 540, 600, 660, 720, 780, 840, 900}
	for name, c := range map[string]struct {
		text  string         // of the changes, which come every five minutes for 15 hours
		model func(int) bool // in which minutes it is the plugin's instead
		want  []int          // in which minutes there are warnings
		says  string
	}{
		"another form": {rewritten, never, hourly, "AS r SET"},
		"no text":      {"", never, hourly, "binlog_annotate_row_events"},
		"now and then": {rewritten, func(minute int) bool { return minute%115 == 0 }, nil, ""},
		"it gets well": {rewritten, func(minute int) bool { return minute == 150 || minute > 400 }, []int{120, 275, 335, 395}, "AS r SET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := half
			o.Plugin = true
			w := newWorld(t, o)
			var log bytes.Buffer
			w.engine.translator.statements.forms.log = slog.New(slog.NewTextHandler(&log, nil))
			var warned []int
			for minute := 0; minute <= 15*60; minute += 5 {
				text := c.text
				if c.model(minute) {
					text = saveNotes
				}
				before := log.Len()
				w.tx(float64(minute)*60, by(text, w.update("reservation", "id=1 notes=a", "id=1 notes=b"))...)
				if log.Len() > before {
					warned = append(warned, minute)
				}
			}
			if !slices.Equal(warned, c.want) {
				t.Errorf("it warns in the minutes %v, want %v", warned, c.want)
			}
			if !strings.Contains(log.String(), c.says) || c.says != "" && !strings.Contains(log.String(), "site=salon") {
				t.Errorf("it says %s", log.String())
			}
		})
	}
}

// A transaction counts once, however many rows it has; few that are far apart are no sign of anything.
func TestStrangeFormsAreMany(t *testing.T) {
	t.Parallel()
	o := half
	o.Plugin = true
	w := newWorld(t, o)
	var log bytes.Buffer
	w.engine.translator.statements.forms.log = slog.New(slog.NewTextHandler(&log, nil))
	for day := range 5 {
		rows := make([]cdc.Change, 100)
		for i := range rows {
			rows[i] = w.update("reservation", fmt.Sprintf("id=%d status=C", i+1), fmt.Sprintf("id=%d status=X", i+1))
		}
		w.tx(float64(day)*24*3600, by("UPDATE `wp_vikappointments_reservation`\nSET `status` = 'X'", rows...)...)
	}
	if log.Len() > 0 {
		t.Errorf("it says %s", log.String())
	}
}
