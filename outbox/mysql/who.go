package mysql

import "time"

// Who is what a process tells the others of itself.
type Who struct {
	Rules string // a digest of its rules: endpoints go only to processes that have those of the holder
	Reads bool   // it may follow the log, so it may take the reader's lease whenever that is free
}

// Machine is a process that works on the outbox, as the others see it.
type Machine struct {
	Name      string    // "host-pid-term": what Ask takes
	Holds     bool      // the reader's lease
	Reads     bool      // it may hold it
	SameRules bool      // its rules are those of the holder
	Endpoints []string  // those that it delivers to, in order
	Seen      time.Time // when it last said that it is alive, by the server's clock
	Until     time.Time // when it is taken for dead unless it says so again
}
