// Package conformance holds rowhook against the real plugin. It replays what the plugin's own requests wrote to a
// database, on a real server, with the rowhook binary following it, and compares what arrives at a receiver.
//
//   - TestPlugin: fidelity plugin, with the rules that `rowhook import` makes of the plugin's webhooks. What arrives must be
//     what the plugin sent: the same events, none extra, the same payloads.
//   - TestDocumented: fidelity documented. What must arrive is computed from the binary log by a second reader (go-mysql's)
//     and a second, simple writing of the definition.
//
// The recorded cases are read from the folder that the environment variable ROWHOOK_PLUGIN_DIR names; without it from
// testdata, which holds some of them with the rows they need.
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
