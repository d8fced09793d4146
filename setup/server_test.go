package setup

import (
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/wordpress/wpconfig"
)

// wordPress is an install whose wp-config.php says this of its database.
func wordPress(t *testing.T, server *dbtest.Server, schema, host string) *wpconfig.Config {
	t.Helper()
	user := "wp_" + schema
	var n int
	if err := server.DB(t, "").QueryRow("SELECT COUNT(*) FROM mysql.user WHERE user = ?", user).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		server.CreateUser(t, user, "geheim", "ALL PRIVILEGES ON "+schema+".*")
	}
	return &wpconfig.Config{File: "wp-config.php of " + schema, Root: "/var/www/" + schema, Name: schema, User: user, Password: "geheim", Host: host, Prefix: "wp_"}
}

// TestOneServerOfTwoAddresses: localhost, which is a socket, and 127.0.0.1 are the same server; another one is not.
func TestOneServerOfTwoAddresses(t *testing.T) {
	t.Parallel()
	server, other := dbtest.Start(t), dbtest.Start(t)
	for _, schema := range []string{"shop", "spa"} {
		dbtest.Salon(t, server, schema, "wp_")
	}
	dbtest.Salon(t, other, "shop", "wp_")
	atSocket, atPort := wordPress(t, server, "shop", "localhost:"+server.Socket()), wordPress(t, server, "spa", server.Address())
	for _, installs := range [][]*wpconfig.Config{{atSocket, atPort}, {atPort, atSocket}} {
		found, err := Look(t.Context(), installs, "")
		if err != nil || len(found.Sites) != 2 {
			t.Fatalf("%v, %+v", err, found)
		}
		if want := wpconfig.Address(installs[0].Host, nil); found.Address != want {
			t.Errorf("address %s, want %s", found.Address, want)
		}
	}
	if _, err := Look(t.Context(), []*wpconfig.Config{atSocket, wordPress(t, other, "shop", other.Address())}, ""); err == nil || !strings.Contains(err.Error(), "one rowhook follows one server") {
		t.Errorf("two servers: %v", err)
	}
}

// TestApplyAtSocket: where root is let in at the server's socket only, --apply goes there; where another server listens, it does not.
func TestApplyAtSocket(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "shop", "wp_")
	found, err := Look(t.Context(), []*wpconfig.Config{wordPress(t, server, "shop", server.Address())}, "")
	if err != nil {
		t.Fatal(err)
	}
	account := Account{User: "rowhook", Password: NewPassword()}
	if err := found.Apply(t.Context(), Account{User: "nobody"}, account); err == nil || !strings.Contains(err.Error(), "--admin-password-file") || strings.Contains(err.Error(), "database.password") {
		t.Errorf("who is not let in anywhere: %v", err)
	}
	socket := found.socket
	found.socket = dbtest.Start(t).Socket()
	if err := found.Apply(t.Context(), Account{User: "root"}, account); err == nil {
		t.Error("another server's socket counts")
	}
	found.socket = socket
	if err := found.Apply(t.Context(), Account{User: "root"}, account); err != nil {
		t.Errorf("at the socket: %v", err)
	}
}

// TestPasswordRules: the password that is made up passes what servers ask of passwords; where one is refused, what to do is said.
func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for _, kind := range dbtest.Servers(t)[1:] { // the machine's own server comes without such a plugin
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := dbtest.StartServer(t, kind)
			dbtest.Salon(t, server, "shop", "wp_")
			install := wordPress(t, server, "shop", server.Address())
			if kind.MySQL() {
				server.Exec(t, "INSTALL COMPONENT 'file://component_validate_password'")
				server.Exec(t, "SET GLOBAL validate_password.policy = MEDIUM, validate_password.mixed_case_count = 2")
			} else {
				server.Exec(t, "INSTALL SONAME 'simple_password_check'")
				server.Exec(t, "SET GLOBAL simple_password_check_minimal_length = 16, GLOBAL simple_password_check_digits = 2")
			}
			found, err := Look(t.Context(), []*wpconfig.Config{install}, "")
			if err != nil {
				t.Fatal(err)
			}
			root := Account{User: "root"}
			if err := found.Apply(t.Context(), root, Account{User: "rowhook", Password: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}); err == nil || !strings.Contains(err.Error(), "credentials/database") {
				t.Errorf("a weak password: %v", err)
			}
			if err := found.Apply(t.Context(), root, Account{User: "rowhook", Password: NewPassword()}); err != nil {
				t.Errorf("ours: %v", err)
			}
		})
	}
}
