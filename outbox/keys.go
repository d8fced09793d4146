package outbox

import "strings"

// A delivery's keys are stored as one text, one key a line, so that a person can read and grep them. A line break within a
// key (a text primary key may hold one) is written as \n, a backslash as \\.
var (
	escapeKey   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unescapeKey = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

// EscapeKey is a key, or a part of one, as it stands in what JoinKeys returns.
func EscapeKey(key string) string { return escapeKey.Replace(key) }

// JoinKeys is the text under which stores keep Delivery.Keys, and Delivery.Omitted.
func JoinKeys(keys []string) string {
	if len(keys) == 1 {
		return EscapeKey(keys[0])
	}
	lines := make([]string, len(keys))
	for i, key := range keys {
		lines[i] = EscapeKey(key)
	}
	return strings.Join(lines, "\n")
}

// SplitKeys is the opposite of JoinKeys.
func SplitKeys(text string) []string {
	if text == "" {
		return nil
	}
	keys := strings.Split(text, "\n")
	for i, key := range keys {
		keys[i] = unescapeKey.Replace(key)
	}
	return keys
}
