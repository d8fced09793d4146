package words

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Span(-1): "0 s", Span(7 * time.Millisecond): "7 ms", Span(1500 * time.Millisecond): "1.5 s", Span(time.Second): "1 s", Span(61 * time.Second): "61 s",
		Span(3 * time.Minute): "3 min", Span(150 * time.Minute): "2 h 30 min", Span(30 * time.Hour): "30 h", Span(73 * time.Hour): "3 days",
		In(0): "at once", In(18 * time.Second): "in 18 s",
		Number(0): "0", Number(999): "999", Number(1000): "1,000", Number(-1234567): "-1,234,567",
		Count(1, "site", "sites"): "1 site", Count(2000, "site", "sites"): "2,000 sites",
		List(nil, "and"): "", List([]string{"a"}, "and"): "a", List([]string{"a", "b", "c"}, "or"): "a, b or c",
		Few([]string{"1", "2", "3", "4", "5", "6", "7", "8"}, "and"): "1, 2, 3, 4, 5, 6 and 2 more",
		Sentence(""): "", Sentence("connection refused"): "Connection refused.", Sentence("Done."): "Done.", Join("a", "", "b"): "a b", Lower("Site spa"): "site spa", Lower(""): "",
		Sentence("établi"): "Établi.", Sentence("Über allem"): "Über allem.", Sentence("отказано"): "Отказано.", Lower("Über allem"): "über allem", Lower("Отказано"): "отказано",
		InWords(4): "Four", InWords(1200): "1,200",
		Endpoint("https://crm.example.com:443"): "crm.example.com", Endpoint("http://crm:8080"): "http://crm:8080", Endpoint("books"): "books",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
