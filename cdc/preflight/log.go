package preflight

import (
	"context"
	"slices"
	"strings"
)

// reconnect is said where a connection keeps the value that a variable had when it was opened.
const reconnect = "   (open connections keep the old value: restart PHP-FPM)"

// checkLog looks at how the server writes its log.
func (s *Checker) checkLog(ctx context.Context, vars map[string]string) []Finding {
	h := s.Hosting
	is := func(name, want, fix string) Finding {
		return Finding{Check: name, OK: strings.EqualFold(vars[name], want), Found: vars[name], Fix: fix}
	}
	findings := []Finding{
		is("log_bin", "ON", h.enableLog()),
		is("binlog_format", "ROW", h.set("binlog_format", "ROW")+reconnect),
		checkImage(h, vars),
	}
	if partial := "binlog_row_value_options"; vars[partial] != "" { // parts of JSON documents
		findings = append(findings, is(partial, "", h.set(partial, "")+reconnect))
	}
	findings = append(findings, s.checkRetention(ctx, vars), checkSync(h, vars))
	if mode, ok := vars["gtid_mode"]; ok && mode != "ON" {
		findings = append(findings, Finding{
			Check: "gtid_mode", Found: mode + ": rowhook can follow by file and offset, but cannot prove that a row it loads is the one that was logged",
			Fix: GTIDSteps(h, mode),
		})
	}
	if s.NeedStatements {
		findings = append(findings, s.checkStatements(h, vars), checkCharset(vars))
	}
	return append(findings, checkMetadata(h, vars))
}

// GTIDSteps is what to type to turn GTIDs on, from where the server stands: it takes one step at a time.
func GTIDSteps(h Hosting, mode string) string {
	if h != OwnServer {
		return h.set("enforce_gtid_consistency", "ON") + "   and likewise  gtid_mode = ON"
	}
	steps := []string{"OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"}
	done := slices.Index(steps, mode) + 1
	typed := []string{"SET PERSIST enforce_gtid_consistency = ON;"}
	for _, step := range steps[done:] {
		typed = append(typed, "SET PERSIST gtid_mode = "+step+";")
	}
	return strings.Join(typed, " ") + "   (the last is refused until SHOW STATUS LIKE 'Ongoing_anonymous_transaction_count'; says 0)"
}

// checkSync looks whether a power cut can take transactions back that were read from the log.
func checkSync(h Hosting, vars map[string]string) Finding {
	f := Finding{Check: "sync_binlog", OK: true, Found: vars["sync_binlog"], Fix: h.set("sync_binlog", "1")}
	if f.Found != "1" {
		f.Warn = true
		f.Found += ": after a power cut the server may have lost transactions that were posted already; rowhook stops then"
	}
	return f
}

// checkMetadata looks whether the log tells the names of columns.
func checkMetadata(h Hosting, vars map[string]string) Finding {
	f := Finding{
		Check: "binlog_row_metadata", OK: true, Found: vars["binlog_row_metadata"],
		Fix: h.set("binlog_row_metadata", "FULL"),
	}
	if !strings.EqualFold(f.Found, "FULL") {
		f.Hint = true
		f.Found += ": with FULL the log tells the names of columns itself, also of tables that were altered while rowhook was away"
	}
	return f
}

// checkImage looks whether rows are logged whole.
func checkImage(h Hosting, vars map[string]string) Finding {
	f := Finding{
		Check: "binlog_row_image", OK: true, Found: vars["binlog_row_image"],
		Fix: h.set("binlog_row_image", "FULL") + reconnect,
	}
	if !strings.EqualFold(f.Found, "FULL") {
		f.Warn = true
		f.Found += ": rows are logged in part, and what is missing is read from the tables later. What is lost is the row before a change:" +
			" a status that is saved again counts as changed, and an option or item that is deleted alone makes no save of its order"
	}
	return f
}

// checkStatements looks whether the server logs the texts of statements.
func (s *Checker) checkStatements(h Hosting, vars map[string]string) Finding {
	name := "binlog_rows_query_log_events"
	if s.MariaDB {
		name = "binlog_annotate_row_events"
	}
	return Finding{
		Check: name, OK: strings.EqualFold(vars[name], "ON"), Found: vars[name],
		Fix: h.set(name, "ON") + "   (fidelity: plugin must know what the plugin wrote; open connections keep the old value: restart PHP-FPM)",
	}
}

// checkCharset looks at the character set that clients have unless they say otherwise: a statement's text is in it, and
// where a byte of a letter may look like a quote the text cannot be read.
func checkCharset(vars map[string]string) Finding {
	f := Finding{
		Check: "character_set_client", OK: true, Found: vars["character_set_client"],
		Fix: "in wp-config.php:  define('DB_CHARSET', 'utf8mb4');",
	}
	switch f.Found {
	case "big5", "cp932", "gb18030", "gbk", "sjis":
		f.Warn = true
		f.Found += ": clients that do not choose another (WordPress does, with DB_CHARSET) write statements that fidelity: plugin may misread"
	}
	return f
}
