package preflight

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rowhook/cdc/sqlmap"
)

// minRetention is how long an outage of rowhook must be survivable without a warning.
const minRetention = 24 * time.Hour

// removal is when files of a log are removed.
type removal int

const (
	removedNever  removal = iota
	removedByAge          // a known time after their last change
	removedSoon           // as soon as the hosting itself has no use for them
	removedHidden         // by the hosting, after a time that our user may not see
)

// retention is how long the files of a log are kept.
type retention struct {
	removal removal
	age     time.Duration // of removedByAge
	amazon  bool          // the hosting's setting counts, not the server's variables
}

// retention finds out how long the log is kept. On Amazon's servers that is in a table, which not every user may read.
func (s *Checker) retention(ctx context.Context, vars map[string]string) retention {
	set, err := sqlmap.Row(ctx, s.DB, "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'")
	switch {
	case err == nil:
		hours, _ := strconv.ParseFloat(set["value"], 64) // NULL is no number
		if hours > 0 && hours < 1e6 {
			return retention{removedByAge, time.Duration(hours * float64(time.Hour)), true}
		}
		return retention{removal: removedSoon, amazon: true}
	case s.Hosting.Amazon():
		return retention{removal: removedHidden, amazon: true}
	}
	age := ageLimit(vars)
	switch {
	case age > 0:
		return retention{removal: removedByAge, age: age}
	case s.Hosting == GoogleCloudSQL:
		return retention{removal: removedHidden}
	}
	return retention{removal: removedNever}
}

// Kept is how long, and how much, a server keeps of its log.
type Kept struct {
	Age    time.Duration // after which files are removed; 0: none is removed by age, or after a time that is not known
	Hidden bool          // they are removed, and nobody knows when
	Limit  uint64        // of all files, in bytes; 0: none
	Longer string        // what to type to have them kept for longer; empty: the hosting keeps none for longer
}

// Kept asks how long the log is kept.
func (s *Checker) Kept(ctx context.Context) (Kept, error) {
	vars, err := s.variables(ctx)
	if err != nil {
		return Kept{}, fmt.Errorf("reading the server's variables: %w", err)
	}
	r := s.retention(ctx, vars)
	kept := Kept{Age: r.age, Hidden: r.removal == removedSoon || r.removal == removedHidden, Longer: keepLonger(s.Hosting, r)}
	kept.Limit, _ = strconv.ParseUint(vars["max_binlog_total_size"], 10, 64)
	return kept, nil
}

// ageLimit is after what time a server itself removes a file of its log, 0 for never.
func ageLimit(vars map[string]string) time.Duration {
	seconds, _ := strconv.ParseInt(vars["binlog_expire_logs_seconds"], 10, 64)
	if days, _ := strconv.ParseFloat(vars["expire_logs_days"], 64); seconds == 0 && days > 0 {
		seconds = int64(days * 24 * 3600)
	}
	if strings.EqualFold(vars["binlog_expire_logs_auto_purge"], "OFF") {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// checkRetention looks at how long the server keeps its log.
func (s *Checker) checkRetention(ctx context.Context, vars map[string]string) Finding {
	kept := s.retention(ctx, vars)
	f := Finding{Check: "retention of the log", OK: true, Fix: RetentionFix(s.Hosting, kept.amazon)}
	switch kept.removal {
	case removedNever:
		f.Found = "the server never removes its log by itself"
	case removedByAge:
		f.Found, f.Warn = ageText(kept.age), kept.age < minRetention
	case removedSoon:
		f.Found, f.Warn = "Amazon removes the log as soon as it can: 'binlog retention hours' is not set, and binlog_expire_logs_seconds does not count there", true
	case removedHidden:
		f.Found, f.Warn = fmt.Sprintf("not known: %s removes the log by a setting of its own, which is no variable of the server", s.Hosting), true
		if kept.amazon {
			f.Found = fmt.Sprintf("not known: on %s 'binlog retention hours' decides, which %s may not read; unless it is set, the log is removed as soon as possible", s.Hosting, s.account(ctx))
			f.Fix += "   and for check to see it:  GRANT SELECT ON mysql.rds_configuration TO " + s.account(ctx) + ";"
		}
	}
	if f.OK = !f.Warn; f.Warn {
		f.Found += ". Changes are lost when rowhook cannot read them for longer than that"
	}
	if most := vars["max_binlog_total_size"]; most != "" && most != "0" {
		f.Found += ", but no more than " + most + " bytes in all (max_binlog_total_size)"
	}
	return f
}

// RetentionFix is what to type to have the log kept for a week, which is the most that RDS for MySQL allows.
func RetentionFix(h Hosting, amazon bool) string {
	switch {
	case amazon:
		return "CALL mysql.rds_set_configuration('binlog retention hours', 168);"
	case h == GoogleCloudSQL:
		return "gcloud sql instances patch INSTANCE --retained-transaction-log-days=7"
	}
	return h.set("binlog_expire_logs_seconds", "604800")
}

// week is for how long hostings keep a log at the most, as far as that can be set.
const week = 7 * 24 * time.Hour

// keepLonger is a line to type to have the log kept for longer than it is, at once.
func keepLonger(h Hosting, is retention) string {
	switch {
	case !is.amazon && h != GoogleCloudSQL:
		return fmt.Sprintf("SET GLOBAL binlog_expire_logs_seconds = %d;", 2*max(week, is.age)/time.Second)
	case is.age >= week:
		return ""
	}
	return RetentionFix(h, is.amazon)
}

// ageText is a time for a person who compares it with the length of an outage, and with the server's variable.
func ageText(d time.Duration) string {
	seconds := fmt.Sprintf("%d seconds", d/time.Second)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days (%s)", d/(24*time.Hour), seconds)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours (%s)", d/time.Hour, seconds)
	}
	return seconds
}
