package mysql

import (
	"context"
	"time"
)

// Who is what a process tells the others of itself.
type Who struct {
	Rules string // a digest of its rules: endpoints go only to processes that have those of the holder; "": to none
	Reads bool   // it may follow the log, so it may take the reader's lease whenever that is free
}

// Machine is a process that works on the outbox, as the others see it.
type Machine struct {
	Name      string    // "host-pid-term": what Ask takes
	Holds     bool      // the reader's lease
	Reads     bool      // it may hold it
	SameRules bool      // its rules are those of the holder, as far as there is one; or it is about to end
	Endpoints []string  // those that it delivers to, in order
	Seen      time.Time // when it last said that it is alive, by the server's clock
	Until     time.Time // when it is taken for dead unless it says so again
}

// Machines tells which processes work on the outbox, and what each has.
func (o *ReadOnly) Machines(ctx context.Context) ([]Machine, error) {
	list, err := o.r.machines(ctx)
	return list, explain("read", &o.cfg, err)
}

const (
	readMachines = `SELECT m.id, m.rules, m.reading, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', m.seen), TIMESTAMPDIFF(MICROSECOND, '1970-01-01', m.until),
		m.id = l.owner FROM member m, lease l WHERE l.name = 'reader' ORDER BY m.id`
	// readOwners tells who has each endpoint to which a rule goes: one that was never given away is the holder's.
	readOwners = `SELECT DISTINCT e.name, COALESCE(s.member, l.owner) FROM route r JOIN endpoint e ON e.id = r.endpoint
		LEFT JOIN share s ON s.endpoint = r.endpoint, lease l WHERE l.name = 'reader' ORDER BY e.name`
)

// machines reads them.
func (r reader) machines(ctx context.Context) (list []Machine, err error) {
	var rules []string
	holders := ""
	has := make(map[string][]string)
	err = results(ctx, r.db, readMachines+`;`+readOwners, nil,
		func(scan func(...any) error) error {
			var m Machine
			var digest string
			var seen, until int64
			err := scan(&m.Name, &digest, &m.Reads, &seen, &until, &m.Holds)
			if m.Holds {
				holders = digest
			}
			m.Seen, m.Until = timeOf(seen), timeOf(until)
			list, rules = append(list, m), append(rules, digest)
			return err
		},
		func(scan func(...any) error) error {
			var endpoint, name string
			err := scan(&endpoint, &name)
			has[name] = append(has[name], endpoint)
			return err
		})
	if isNumber(err, noTable) { // of a schema that no holder has upgraded yet
		return nil, nil
	}
	for i := range list {
		list[i].Endpoints = has[list[i].Name]
		list[i].SameRules = holders == "" || rules[i] == "" || rules[i] == holders
	}
	return list, err
}
