package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/deliver/delivertest"
)

// TestDeliveriesDropAndErase: through the running daemon, and without one.
func TestDeliveriesDropAndErase(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %t", running), func(t *testing.T) {
			t.Parallel()
			receiver := delivertest.NewReceiver(t)
			configFile := logFiles(t, receiver.URL())
			if running { // it delivers the fresh one
				defer beside(t, configFile)()
				eventually(t, "the fresh one", func() bool { return listIDs(t, configFile, "--state", "delivered") == "5 1" })
			}
			run := func(args, want string) {
				t.Helper()
				if out, err := rowhook(t, configFile, strings.Fields("deliveries "+args)...); err != nil || out != want+"\n" {
					t.Errorf("%s: %v\n%s", args, err, out)
				}
			}
			run("erase --entity appointment --key 1", "1 erased")
			run("erase --state waiting", "0 erased") // it is still to be sent
			run("drop --rule crm", "1 removed")      // the dead one
			run("drop "+idOf(4), "1 removed")        // held
			run("drop --state delivered --rule crm", "0 removed")
			left := "3 1"
			if got := listIDs(t, configFile, "--rule", "crm,gone"); got != left {
				t.Errorf("left: %s, want %s", got, left)
			}
			run("drop --endpoint "+receiver.URL()+" --state waiting", "1 removed")
			if got := listIDs(t, configFile, "--rule", "crm,gone"); got != "1" {
				t.Errorf("left: %s", got)
			}
			out, err := rowhook(t, configFile, "deliveries", "show", idOf(1))
			if err != nil || strings.Contains(out, `"id":1`) || !strings.Contains(out, "erased") {
				t.Errorf("erased: %v\n%s", err, out)
			}
			for args, says := range map[string]string{
				"drop":                                "ids, or flags",
				"erase --state dead " + idOf(1):       "ids, or flags",
				"erase --key 1":                       "does not say of what",
				"drop --entity appointment --key a/b": "SITE/ENTITY/ID",
				"drop 12":                             "no id of a delivery",
			} {
				if _, err := rowhook(t, configFile, strings.Fields("deliveries "+args)...); err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v", args, err)
				}
			}
		})
	}
}
