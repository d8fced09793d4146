package main

import (
	"fmt"
	"strings"
	"testing"

	"rowhook/dbtest"
	"rowhook/deliver/delivertest"
)

// TestSamples: a sample has the shape of what a rule posts: of rows with the columns of their table, of hooks with their
// arguments, and with all that tells of the event in its head, printed and posted.
func TestSamples(t *testing.T) {
	t.Parallel()
	server := dbtest.Start(t)
	dbtest.Salon(t, server, "wordpress", "wp_")
	rowhookUser(t, server)
	server.Exec(t, "CREATE TABLE wordpress.wp_books (book_id INT PRIMARY KEY, book_title TEXT, price DECIMAL(9,2))")
	server.Exec(t, "CREATE TABLE wordpress.wp_lines (id INT PRIMARY KEY, order_id INT, sku VARCHAR(9))")
	receiver := delivertest.NewReceiver(t)
	rule := func(name, more string) string {
		return fmt.Sprintf("  - {name: %s, url: %q, %s}\n", name, receiver.URL(), more)
	}
	file := daemonFiles(t, server, "rules:\n"+
		rule("books", "action: custom, table: books")+
		rule("titles", `action: custom, table: books, template: {text: "= 'Book ' + payload.data.book_title"}`)+
		rule("lines", "action: custom, table: lines, key: [order_id, sku], on: [delete]")+
		rule("later", "action: custom, table: not_there_yet, when: after.amount > 1")+
		rule("gone", "action: onAfterDeleteOption")+
		rule("shown", "action: onAfterPublishOption")+
		rule("cart", "action: onAddItemCart")+
		rule("events", "action: appointment.save, format: cloudevents, id: 7")+
		rule("stopped", "action: rowhook.site_stopped, format: cloudevents")+
		rule("all", "action: rowhook.*"), "")
	for name, want := range map[string][]string{
		"books":   {`{"type":"update","table":"books","key":{"book_id":12},"data":{"book_id":12,"book_title":"Sample","price":20},"old":{`, "X-VAP-WEBHOOK-ACTION: custom\n"},
		"titles":  {`{"text":"Book Sample"}`},
		"lines":   {`{"type":"delete","table":"lines","keys":[{"order_id":12,"sku":""}]}`},
		"later":   {`"table":"not_there_yet","key":{"id":12},"data":{"id":12,"amount":""}`},
		"gone":    {"\n{\"arg1\":12}\n"},
		"shown":   {"\n{\"arg1\":12,\"arg2\":1}\n"},
		"cart":    {`{"arg1":{},"arg2":{},"arg3":""}`},
		"events":  {"X-VAP-WEBHOOK-ID: 7\n", "Ce-Type: vikappointments.appointment.save\n", "Ce-Source: rowhook/salon\n", "Ce-Subject: 12\n", "Ce-Time: 2"},
		"stopped": {"Ce-Type: rowhook.site_stopped\n", `"site":"salon"`},
		"all":     {"X-VAP-WEBHOOK-ACTION: rowhook.endpoint_down\n", `"endpoint":`},
	} {
		out, err := rowhook(t, file, "rules", "sample", name)
		for _, w := range want {
			if err != nil || !strings.Contains(out, w) {
				t.Errorf("a sample of %s: %v, want %s in\n%s", name, err, w, out)
			}
		}
	}
	startDaemon(t, file) // without a console
	if out, err := rowhook(t, file, "rules", "sample", "events", "--send"); err != nil || !strings.Contains(out, "accepted") {
		t.Errorf("rules sample --send: %v\n%s", err, out)
	}
	head := receiver.WaitAccepted(patience(t), 1)[0].Header
	if head.Get("Ce-Type") != "vikappointments.appointment.save" || head.Get("Ce-Subject") != "12" || strings.HasPrefix(head.Get("Ce-Time"), "0") || head.Get("X-Rowhook-Test") != "1" {
		t.Errorf("a sample was posted with %v", head)
	}
	server.Exec(t, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM rowhook@'%'") // samples can do without the database
	if out, err := rowhook(t, file, "rules", "sample", "lines"); err != nil || !strings.Contains(out, `"keys":[{"order_id":12,"sku":""}]`) {
		t.Errorf("a sample without the database: %v\n%s", err, out)
	}
}
