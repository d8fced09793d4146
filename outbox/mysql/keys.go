package mysql

import "strings"

// A delivery's keys are a column of text, one key a line, so that a person can read and grep them. A line break within a
// key (a text primary key may hold one) is written as \n, a backslash as \\.
var (
	escapeKey   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unescapeKey = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

func joinKeys(keys []string) string {
	lines := make([]string, len(keys))
	for i, key := range keys {
		lines[i] = escapeKey.Replace(key)
	}
	return strings.Join(lines, "\n")
}

func splitKeys(text string) []string {
	if text == "" {
		return nil
	}
	keys := strings.Split(text, "\n")
	for i, key := range keys {
		keys[i] = unescapeKey.Replace(key)
	}
	return keys
}
