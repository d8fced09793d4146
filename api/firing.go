package api

import "time"

// Firing is an event of the log, and which rules fire.
type Firing struct {
	Time   time.Time    `json:"time"`
	Site   string       `json:"site"`
	Event  string       `json:"event"`
	Action string       `json:"action"`
	IDs    []any        `json:"ids"` // numbers; texts where a custom rule's table has other keys
	Insert bool         `json:"insert,omitempty"`
	Status string       `json:"status,omitempty"`
	Unseen bool         `json:"if_there,omitempty"` // the log shows only a part of the object: it fires if that is still there
	Rules  []FiringRule `json:"rules"`
	Txn    string       `json:"transaction"` // of its first change
}

// FiringRule is a rule that wants an event.
type FiringRule struct {
	Name     string   `json:"name"`
	IfStatus []string `json:"if_status,omitempty"` // it wants it if the object, once it is loaded, has one of these
	IfLoaded bool     `json:"if_loaded,omitempty"` // it wants it if its condition holds of what is loaded
	Broken   string   `json:"broken,omitempty"`    // why it can make no payload: a dead letter
}

// Loss is a warning that rows went unseen.
type Loss struct {
	Warning   string    `json:"warning"`
	Time      time.Time `json:"time,omitzero"`
	Site      string    `json:"site"`
	Table     string    `json:"table"`
	Statement string    `json:"statement"`
	Txn       string    `json:"transaction"`
}
