package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rowhook/dbtest"
)

// story is a day at the salon.
type story struct {
	site     *dbtest.Site
	db       *sql.DB
	receiver *receiver
	page     *page
}

// scene writes to the database and says which webhooks must follow.
type scene struct {
	title string
	do    func(context.Context) (wanted []string, err error)
}

func (s *story) scenes() []scene {
	var first int64 // the appointment that the first scenes are about
	return []scene{
		{"A booking: four statements of the plugin, one save and one status", func(ctx context.Context) (_ []string, err error) {
			first, err = s.site.Book(ctx, dbtest.Booking{Options: []int64{1}})
			return made(first, "W"), err
		}},
		{"The salon confirms it", func(ctx context.Context) ([]string, error) {
			return made(first, "C"), s.site.Confirm(ctx, first)
		}},
		{"The customer moves it by two days", func(ctx context.Context) ([]string, error) {
			return []string{saved(first)}, s.site.Reschedule(ctx, first, dbtest.At(9, 15))
		}},
		{"Somebody corrects a phone number in SQL: the plugin would never have told", func(ctx context.Context) ([]string, error) {
			_, err := s.db.ExecContext(ctx, "UPDATE wp_vikappointments_reservation SET purchaser_phone = '+39 010 5550199' WHERE id = ?", first)
			return []string{saved(first)}, err
		}},
		{"A family books two appointments as one order", s.family},
		{"A season card, a new customer, and a coupon that is now worth more", s.desk},
		{"The receiver goes down; the salon works on", s.outage},
		{"Three appointments are deleted with one statement: one webhook; then one more", s.deletes},
	}
}

func (s *story) family(ctx context.Context) ([]string, error) {
	parent, children, err := s.site.BookSeveral(ctx, dbtest.Booking{Name: "Ondřej Říha"}, dbtest.Booking{Name: "Ondřej Říha", Service: 2, Price: 79.5})
	wanted := []string{status("Reservation", parent, "W")} // a parent is no appointment: no save
	for _, id := range children {
		wanted = append(wanted, made(id, "W")...)
	}
	return wanted, err
}

func (s *story) desk(ctx context.Context) ([]string, error) {
	order, err := s.site.OrderPackage(ctx, 1, "W", 1)
	if err != nil {
		return nil, err
	}
	customer, err := s.site.Insert(ctx, "users", "billing_name", "Marek Dub", "billing_mail", "marek@example.test", "country_code", "CZ")
	if err != nil {
		return nil, err
	}
	return []string{
		key("onAfterSavePackorder", order), status("Packageorder", order, "W"), key("onAfterSaveCustomer", customer), key("onAfterSaveCoupon", 1),
	}, s.site.Update(ctx, "coupon", 1, "value", "15.00")
}

// outage books and cancels while nobody listens. The pause is for the person who watches; nothing depends on it.
func (s *story) outage(ctx context.Context) (wanted []string, err error) {
	const pause = 4 * time.Second
	if err := s.receiver.stop(); err != nil {
		return nil, err
	}
	for _, name := range []string{"Ada", "Bruno", "Carla"} {
		id, err := s.site.Book(ctx, dbtest.Booking{Name: name, Status: "C"})
		if err != nil {
			return nil, err
		}
		s.page.say("booked for %s, #%d", name, id)
		wanted = append(wanted, made(id, "C")...)
	}
	over := time.NewTimer(pause)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.page.say("the receiver is back after %s", pause)
	return wanted, s.receiver.start(ctx)
}

func (s *story) deletes(ctx context.Context) ([]string, error) {
	var ids []int64
	rows, err := s.db.QueryContext(ctx, "SELECT id FROM wp_vikappointments_reservation WHERE purchaser_nominative IN ('Ada', 'Bruno', 'Carla') ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := s.site.DeleteBookings(ctx, ids...); err != nil {
		return nil, err
	}
	const aChild = 3
	return []string{key("onAfterDeleteReservation", ids...), key("onAfterDeleteReservation", aChild)}, s.site.DeleteBookings(ctx, aChild)
}

// made is what follows a booking, and a status that is saved in the form.
func made(id int64, code string) []string {
	return []string{saved(id), status("Reservation", id, code)}
}

func saved(id int64) string { return key("onAfterSaveReservation", id) }

func status(hook string, id int64, code string) string {
	return key("onStatusChange"+hook, id) + " " + code
}

// key is webhook.key for a webhook that is expected.
func key(action string, ids ...int64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.FormatInt(id, 10)
	}
	return fmt.Sprintf("%s #%s", action, strings.Join(words, ","))
}
