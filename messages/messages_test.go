package messages

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write messages.txt anew")

// unclear are words that a person at night would have to think about; behind each, what to write.
var unclear = map[string]string{
	`\b[Mm]end(s|ed)?\b`: "fix", `\bget on\b`: "is stalled", `\bwho asks\b`: "the request", `\bwish\b`: "request",
	`\b(the|a) link\b`: "the connection", `\btenants?\b`: "site", `\bsee the server's error log$`: "what to type",
}

// TestMessages compares the list with the source.
func TestMessages(t *testing.T) {
	t.Parallel()
	const file = "messages.txt"
	var b strings.Builder
	b.WriteString("Everything that rowhook may say, made by: go test ./messages -update\n")
	kind, from := "", ""
	for _, m := range collect(t, "..") {
		if m.kind != kind {
			b.WriteString("\n== " + m.kind + " ==\n")
			kind, from = m.kind, ""
		}
		if m.file != from {
			b.WriteString("\n" + m.file + "\n")
			from = m.file
		}
		b.WriteString("    " + strings.ReplaceAll(m.text, "\n", "\n    ") + "\n")
		for word, better := range unclear {
			if regexp.MustCompile(word).MatchString(m.text) {
				t.Errorf("%s says %q: write %q", m.file, m.text, better)
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != b.String() {
		t.Errorf("%s is not what the source says any more; look at the difference after: go test ./messages -update", file)
	}
}
