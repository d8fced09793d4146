package loader

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rowhook/cdc"
	"rowhook/rules"
)

func TestTroubleOf(t *testing.T) {
	t.Parallel()
	for want, numbers := range map[Trouble][]uint16{
		Outage: {1040, 1045, 1053, 1077, 1129, 1130, 1152, 1184, 1203, 1698, 1820, 1862, 1927, 3118},
		Held: {
			1021, 1030, 1038, 1044, 1049, 1054, 1104, 1114, 1118, 1142, 1143, 1146, 1153, 1194, 1195, 1205, 1213, 1227, 1301, 1317, 1356, 1370, 1412, 1969,
			3024, 65000, // and any that nobody has heard of
		},
		Unfit: {1115, 1253, 1267, 1270, 1271, 1273, 1300, 1977, 3854, 3988, 1292, 1365, 1366, 1411, 1525, 1690, 3141},
	} {
		for _, n := range numbers {
			if got := TroubleOf(fmt.Errorf("loading: %w", &tableError{err: &mysql.MySQLError{Number: n}})); got != want {
				t.Errorf("error %d is trouble %d, want %d", n, got, want)
			}
		}
	}
	for _, c := range []struct {
		err  error
		want Trouble
	}{
		{io.ErrUnexpectedEOF, Outage}, {mysql.ErrInvalidConn, Outage}, {errors.New("no space left on device"), Outage},
		{mysql.ErrPktTooLarge, Held}, {errNotVisible, Held}, {errRender, Unfit},
		{&mysql.MySQLError{Number: 1226, Message: "User 'r' has exceeded the 'max_user_connections' resource (current value: 3)"}, Outage},
		{&mysql.MySQLError{Number: 1226, Message: "User 'r' has exceeded the 'max_questions' resource (current value: 3)"}, Held},
	} {
		if got := TroubleOf(fmt.Errorf("loading: %w", c.err)); got != c.want {
			t.Errorf("%v is trouble %d, want %d", c.err, got, c.want)
		}
	}
}

// What befalls all events of a site alike must have one reason, or each of them is tried again by itself.
func TestReason(t *testing.T) {
	t.Parallel()
	denied := &tableError{table: cdc.TableName{Schema: "s", Name: "t"}, err: &mysql.MySQLError{Number: 1142, Message: "denied"}, user: "'r'@'%'"}
	for _, err := range []error{denied, &mysql.MySQLError{Number: 1205, Message: "locked"}, errNotVisible, errTooMuch} {
		a, b := fmt.Errorf("loading appointment 1: %w", err), fmt.Errorf("loading appointment 2: %w", err)
		if Reason(a) != Reason(b) {
			t.Errorf("%q and %q", Reason(a), Reason(b))
		}
	}
	if got := Fix(denied); got != "GRANT SELECT ON `s`.* TO 'r'@'%';" {
		t.Error(got)
	}
}

func TestSharedNames(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"wp_": "wp_users", "wp_2_": "wp_2_users wp_users", "site_12_": "site_12_users site_users", "": "users", "2_": "2_users users",
		"wp2_": "wp2_users wpusers", "wp_2": "wp_2users", "wp_02_": "wp_02_users", "_": "_users", "wp__": "wp__users",
	} {
		var got []string
		for _, name := range sharedNames(&rules.Site{Prefix: prefix}, "users") {
			got = append(got, name.Name)
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %v, want %s", prefix, got, want)
		}
	}
}
