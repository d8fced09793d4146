//go:build matrix || bench

package relay

import (
	"database/sql"
	"net/http"
	"testing"

	"rowhook/dbtest"
)

// site is a WordPress with the relay, which PHP serves.
type site struct {
	*dbtest.WordPress
	server *dbtest.Server
	db     *sql.DB
	url    string
}

// newSite installs WordPress, whose theme runs a case in the middle of its page.
func newSite(t *testing.T, kind dbtest.Kind, hooks ...string) *site {
	t.Helper()
	server := dbtest.StartServer(t, kind)
	if kind == dbtest.MariaDB118 {
		server.Exec(t, "INSTALL SONAME 'ha_blackhole'")
	}
	s := &site{WordPress: dbtest.InstallWordPress(t, server, "wordpress"), server: server}
	s.db = server.DB(t, "wordpress")
	s.Write(t, "wp-content/themes/plain/index.php", begins+"<?php require ABSPATH . 'case.php'; ?>"+ends)
	s.Write(t, "wp-content/mu-plugins/routes.php", `<?php function case_answer() { ob_start(); require ABSPATH . 'case.php'; return ob_get_clean(); }
add_action('rest_api_init', function () { register_rest_route('salon', 'cart', array('methods' => 'GET', 'permission_callback' => '__return_true', 'callback' => 'case_answer')); });
add_action('wp_ajax_nopriv_cart', function () { wp_send_json(case_answer()); });`)
	s.url = s.Serve(t)
	s.relay(t, hooks...)
	s.page(t, "echo 'fine';") // WordPress writes its own options now, and the relay says what it relays
	return s
}

// relay puts the relay there as it is printed, with an empty table.
func (s *site) relay(t *testing.T, hooks ...string) {
	t.Helper()
	s.server.Exec(t, "DROP TABLE IF EXISTS wordpress.wp_rowhook_relay; "+Table("wordpress", "wp_", "BLACKHOLE"))
	text, err := File(hooks)
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t, "wp-content/mu-plugins/"+FileName, text)
}

// What is around a case in the theme's page.
const begins, ends = "<html><body><p>a page</p>", "<p>ends</p></body></html>"

// page asks for the page in which PHP code runs, which prints "fine" when it finds nothing wrong. The page must be as without the relay.
func (s *site) page(t *testing.T, code string) {
	t.Helper()
	s.ask(t, "/", code, begins+"fine"+ends)
}

// ask is page for any address.
func (s *site) ask(t *testing.T, path, code, want string) {
	t.Helper()
	s.Write(t, "case.php", "<?php\n"+code)
	logged := len(s.Logged(t))
	if status, body := s.Get(t, s.url+path); status != http.StatusOK || body != want {
		t.Errorf("%s: status %d, the page is %.3000s", path, status, body)
	}
	if log := s.Logged(t)[logged:]; log != "" {
		t.Errorf("%s: PHP logged %.3000s", path, log)
	}
}
