package loader

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"rowhook/cdc"
	"rowhook/dbtest"
	"rowhook/rules"
)

// TestTextsOfAnotherCharset writes and reads texts as PHP does over a connection in another charset. What PHP reads is what
// a payload shows, whatever the column's charset, and whichever way the row came.
func TestTextsOfAnotherCharset(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rnd := rand.New(rand.NewPCG(dbtest.Seed(t), 0))
	words := []string{"Zoë", "€ 5", "Привет", "漢字", "😀", "naïve", "ok", "Æ±", "“quoted”"}
	for _, charset := range []string{"latin1", "cp1251", "utf8mb3", "latin2"} {
		client, err := cdc.NewClient(charset)
		if err != nil {
			t.Fatal(err)
		}
		site := &rules.Site{Name: "salon", Schema: "wordpress", Prefix: "wp_", Client: client}
		php, err := server.DB(t, "wordpress").Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		exec := func(query string) {
			t.Helper()
			if _, err := php.ExecContext(t.Context(), query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		exec("SET NAMES " + charset)
		l := New(server.DB(t, ""), mariaDB{}, Options{}, slog.New(slog.DiscardHandler))
		for i, column := range []string{"latin1", "utf8mb4", "cp1251"} {
			exec("ALTER TABLE wp_vikappointments_coupon MODIFY notes TEXT CHARACTER SET " + column)
			l.altered()
			for n := range 20 {
				text := words[rnd.IntN(len(words))] + " " + words[rnd.IntN(len(words))]
				id := 1000 + 100*i + n
				exec(fmt.Sprintf("REPLACE INTO wp_vikappointments_coupon SET id = %d, code = 'c%[1]d', notes = '%s'", id, text))
				var read []byte
				if err := php.QueryRowContext(t.Context(), fmt.Sprintf("SELECT notes FROM wp_vikappointments_coupon WHERE id = %d", id)).Scan(&read); err != nil {
					t.Fatal(err)
				}
				if !utf8.Valid(read) { // the column lacks what was written; PHP's json_encode fails
					continue
				}
				snap, err := l.snapshotAt(t.Context(), site, Place{End: end(t, server)})
				if err != nil {
					t.Fatal(err)
				}
				rows, err := snap.all(t.Context(), site.Table("coupon"), fmt.Sprintf("id = %d", id))
				snap.close(t.Context())
				if err != nil || len(rows) != 1 {
					t.Fatalf("%d rows: %v", len(rows), err)
				}
				if got := rows[0].text("notes"); got != string(read) {
					t.Errorf("%s in a column of %s: PHP wrote %q and reads %q, we %q", charset, column, text, read, got)
				}
			}
		}
		_ = php.Close()
	}
}
