package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"rowhook/config"
	"rowhook/deliver"
	"rowhook/rules"
)

// TestEndpointOptions: what the configuration says about single endpoints finds the endpoints of the rules.
func TestEndpointOptions(t *testing.T) {
	t.Parallel()
	list := []config.Endpoint{
		{Endpoint: "https://CRM.example.com/hooks", Concurrency: 4}, {Endpoint: "books", Rate: config.Every(time.Second)}, {Endpoint: "https://crm.example.org"},
	}
	set := &rules.Set{Rules: []*rules.Rule{
		{Endpoint: rules.Endpoint{URL: "https://crm.example.com:443/a"}}, {Endpoint: rules.Endpoint{URL: "https://a.example.com", OrderGroup: "books"}},
	}}
	want := map[string]deliver.Limit{"https://crm.example.com:443": {Concurrency: 4}, "books": {Every: time.Second}, "https://crm.example.org:443": {}}
	if got := limitsOf(list); !maps.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := unused(list, set); !slices.Equal(got, []string{"https://crm.example.org"}) {
		t.Errorf("unused: %v", got)
	}
}
