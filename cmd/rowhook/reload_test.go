package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestReloadWithoutDatabase: rules that are changed while the database is away count at once for what is stored, and for what is read
// once it is back.
func TestReloadWithoutDatabase(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	site := dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	receiver := delivertest.NewReceiver(t)
	configFile := daemonFiles(t, server, "rules: [{name: crm, action: appointment.save, url: 'http://"+freeAddress(t)+"/moved'}]\n", "coalesce: 0s\n")
	stop := startDaemon(t, configFile)
	if _, err := site.Book(t.Context(), dbtest.Booking{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a delivery that waits", func() bool {
		out, err := rowhook(t, configFile, "deliveries", "list", "--json", "--state", "fresh,waiting")
		return err == nil && len(out) > len("[]\n")
	})
	stop()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	away := &watched{awaited: "the database does not answer as it should", seen: make(chan struct{})}
	stop, hangups := startByHand(t, configFile, away)
	<-away.seen
	rules := "rules:\n  - {name: crm, action: appointment.save, url: '" + receiver.URL() + "'}\n  - {name: coupons, action: coupon.save, url: '" + receiver.URL() + "'}\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(configFile), "rules.yaml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	hangups <- syscall.SIGHUP
	receiver.WaitAccepted(patience(t), 1)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := site.Insert(t.Context(), "coupon", "code", "A"); err != nil {
		t.Fatal(err)
	}
	receiver.WaitAccepted(patience(t), 2)
	stop()
}
