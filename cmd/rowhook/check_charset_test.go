package main

import (
	"testing"

	"rowhook/cdc"
	"rowhook/config"
)

func TestDoublyEncoded(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"":       {"Zoë", "Ann?", "Привет", "Zoë Ã", "漢字", "À propos"},
		"latin1": {"Ann", "Zoë", "ZoÃ«", "JosÃ© ?"},
		"cp1251": {"РџСЂРё", "Ann"},
	} {
		if got, example := doublyEncoded(texts); got != want {
			t.Errorf("%q is found to be %q, for %q", texts, got, example)
		}
	}
}

// Every charset that the configuration takes is one that texts can be seen through.
func TestCharsetsOfConfiguration(t *testing.T) {
	t.Parallel()
	for _, name := range config.Charsets() {
		if _, err := cdc.NewClient(name); err != nil {
			t.Error(err)
		}
	}
}
