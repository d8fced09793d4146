package mysql

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"rowhook/outbox"
)

func someHanded() []handedOver {
	at := time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)
	return []handedOver{
		{outbox.Outcome{Seq: 1, State: outbox.Delivered, Attempts: 1, Took: 3 * time.Millisecond}, place{n: 7, label: 3, length: 1800}},
		{outbox.Outcome{Seq: 1 << 40, State: outbox.Waiting, Attempts: 9, Due: at, Attempt: &outbox.Attempt{At: at, Latency: time.Second, Status: 503,
			Error: "no", Response: "\x00\xff" + strings.Repeat("x", 3000)}}, place{}},
		{outbox.Outcome{Seq: 3, State: outbox.Dead, Attempts: 2}, place{}},
	}
}

// TestHandedOver: what is handed over comes back as it was.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	for _, list := range [][]handedOver{someHanded(), {}} {
		if back, err := decodeOutcomes(encodeOutcomes(list)); err != nil || !reflect.DeepEqual(back, list) {
			t.Errorf("%+v came back as %+v, %v", list, back, err)
		}
	}
}

// FuzzDecodeOutcomes: what the table holds are outcomes that hold together, or an error.
func FuzzDecodeOutcomes(f *testing.F) {
	f.Add(encodeOutcomes(someHanded()))
	f.Add([]byte{handedForm, 0})
	f.Add([]byte{handedForm, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decodeOutcomes(data)
		if err != nil {
			return
		}
		back, err := decodeOutcomes(encodeOutcomes(list))
		if err != nil || len(back) != len(list) {
			t.Fatalf("%+v came back as %+v, %v", list, back, err)
		}
		for i := range list {
			if err := list[i].Check(); err != nil {
				t.Errorf("%+v: %v", list[i], err)
			}
		}
	})
}
