package rules

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseShapes reads a file of 200 rules: who shapes nothing pays nothing for what others shape.
func BenchmarkParseShapes(b *testing.B) {
	for _, c := range []struct{ name, shape string }{
		{"without", ""}, {"when", `, when: "after.total_cost > 100"`}, {"fields", ", fields: [id]"}, {"template", `, template: {id: "= after.id", text: "= 'New: ' + after.purchaser_mail"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			var text strings.Builder
			text.WriteString("rules:\n")
			for i := range 200 {
				fmt.Fprintf(&text, "  - {name: r%d, action: appointment.save, url: 'http://127.0.0.1/'%s}\n", i, c.shape)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("test.yaml", []byte(text.String()), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
