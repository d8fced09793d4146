// Package conformance holds rowhook against the real plugin. It replays what the plugin's own requests wrote to a
// database, on a real server, with the rowhook binary following it, and compares what arrives at a receiver.
//
//   - TestPlugin: fidelity plugin, with the rules that `rowhook import` makes of the plugin's webhooks. What arrives must be
//     what the plugin sent: the same events, none extra, the same payloads.
//   - TestDocumented: fidelity documented. What must arrive is computed from the binary log by a second reader (go-mysql's)
//     and a second, simple writing of the definition.
//
// A record is a folder with the cases of one salon: initial.sql, webhooks.json and cases/, perhaps by-hand/ and
// payload-trees.txt. The environment variable ROWHOOK_PLUGIN_DIR lists records, separated as in PATH, or folders that hold
// some; without it they are those in testdata, which hold some of the cases with the rows they need. Each record has a
// database, a daemon and a table of its own.
//
//	go test ./conformance -v                           the tables, with what is left out and why
//	go test ./conformance -differences 1000            more of the events that are missing, extra or different
//	go test ./conformance -rowhook bin/rowhook         another binary than the sources'
//	go test ./conformance -run TestPlugin -update      makes testdata anew from ROWHOOK_PLUGIN_DIR
//
// Nothing here waits for time to pass. Every case is written under a time of its own (SET timestamp), hours behind the
// last, so the log itself tells rowhook that the case before is over; and behind each case a marker is written, a save
// of a coupon with id 0, whose webhook says that all of the case's have arrived.
package conformance
