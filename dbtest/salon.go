package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"time"
)

//go:embed salon.sql
var salonSQL string

//go:embed sample.sql
var sampleSQL string

// Site writes to a site's tables as the booking plugin does: one statement, one transaction, in the plugin's order and
// in its words, because rowhook may read them too.
type Site struct {
	db     *sql.DB
	prefix string
	pause  func() time.Duration // in front of each statement; nil: none
}

// Slow is the site with pauses in front of each of its statements, as a slow plugin makes them.
func (s *Site) Slow(pause func() time.Duration) *Site {
	return &Site{db: s.db, prefix: s.prefix, pause: pause}
}

// rest waits for a pause.
func (s *Site) rest(ctx context.Context) error {
	if s.pause == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.pause()):
		return nil
	}
}

// Salon makes a schema with the plugin's tables and the sample data. The statements go through the binary log.
func Salon(tb testing.TB, s *Server, schema, prefix string) *Site {
	tb.Helper()
	if err := CreateSalon(tb.Context(), s, schema, prefix); err != nil {
		tb.Fatal(err)
	}
	return NewSite(s.DB(tb, schema), prefix)
}

// CreateSalon is Salon without a test.
func CreateSalon(ctx context.Context, s *Server, schema, prefix string) error {
	db, err := s.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // USE is of the connection
	create := fmt.Sprintf("CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb4; USE %[1]s;\n", name(schema))
	for _, script := range []string{create, salonSQL, sampleSQL} {
		if _, err := db.ExecContext(ctx, strings.ReplaceAll(script, "{prefix}", prefix)); err != nil {
			return fmt.Errorf("making the salon %s: %w", schema, err)
		}
	}
	return nil
}

// NewSite writes through db, which is connected to the site's schema with sql_mode cleared (Server.Open does both).
func NewSite(db *sql.DB, prefix string) *Site { return &Site{db: db, prefix: prefix} }

// Booking is an appointment to be made. Zero values are filled in: the sample's first service, employee and customer,
// at ten in a week, status W (pending).
type Booking struct {
	Service, Employee, Customer int64
	CheckIn                     time.Time
	Status                      string
	Name, Mail, Phone           string
	Price                       float64
	Options                     []int64 // ids of options, one of each
}

// At is a time for an appointment: a full hour (UTC), so many days from now.
func At(days, hour int) time.Time {
	return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, days).Add(time.Duration(hour) * time.Hour)
}

func (b Booking) filled() Booking {
	for _, id := range []*int64{&b.Service, &b.Employee, &b.Customer} {
		if *id == 0 {
			*id = 1
		}
	}
	if b.CheckIn.IsZero() {
		b.CheckIn = At(7, 10)
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&b.Status, "W"}, {&b.Name, "Greta Lund"}, {&b.Mail, "greta@example.test"}, {&b.Phone, "+39 347 5550110"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if b.Price == 0 {
		b.Price = 38
	}
	return b
}

// Book makes an appointment: the reservation, its own id as id_parent, its options, its first status.
func (s *Site) Book(ctx context.Context, b Booking) (int64, error) {
	b = b.filled()
	id, err := s.Insert(ctx, "reservation", append(b.columns(), "sid", code(16), "conf_key", code(12), "view_emp", 1,
		"createdon", now(), "createdby", 1, "id_user", b.Customer)...)
	if err != nil {
		return 0, err
	}
	if err := s.exec(ctx, "UPDATE %s SET `id_parent` = '%d' WHERE `id` = '%[2]d'", s.table("reservation"), id); err != nil {
		return 0, err
	}
	return id, s.finish(ctx, id, b)
}

// BookSeveral makes one order of several appointments: a parent without employee, and a child for each booking.
func (s *Site) BookSeveral(ctx context.Context, bookings ...Booking) (parent int64, children []int64, err error) {
	if len(bookings) == 0 {
		return 0, nil, fmt.Errorf("an order of no appointments")
	}
	total := 0.0
	for i := range bookings {
		bookings[i] = bookings[i].filled()
		total += bookings[i].Price
	}
	first, order := bookings[0], code(16)
	parent, err = s.Insert(ctx, "reservation", "total_cost", total, "total_net", total, "purchaser_nominative", first.Name,
		"purchaser_mail", first.Mail, "langtag", "en-US", "status", first.Status, "locked_until", lock(), "sid", order,
		"conf_key", code(12), "id_parent", -1, "createdon", now(), "createdby", 1, "id_user", first.Customer)
	if err != nil {
		return 0, nil, err
	}
	if err := s.AddStatus(ctx, "reservation", parent, first.Status, onManage); err != nil {
		return 0, nil, err
	}
	for _, b := range bookings {
		id, err := s.Insert(ctx, "reservation", append(b.columns(), "sid", order, "view_emp", 1, "id_parent", parent,
			"createdon", now(), "createdby", 1, "id_user", b.Customer)...)
		if err != nil {
			return 0, nil, err
		}
		children = append(children, id)
		if err := s.finish(ctx, id, b); err != nil {
			return 0, nil, err
		}
	}
	return parent, children, nil
}

// columns are those that every appointment is saved with, in table order.
func (b Booking) columns() []any {
	return []any{
		"id_employee", b.Employee, "id_service", b.Service, "checkin_ts", dateTime(b.CheckIn), "tz_offset", "+00:00", "people", 1,
		"duration", 45, "sleep", 5, "total_cost", b.Price, "total_net", b.Price, "total_tax", 0, "service_price", b.Price,
		"service_net", b.Price, "service_tax", 0, "service_gross", b.Price, "purchaser_nominative", b.Name, "purchaser_mail", b.Mail,
		"purchaser_phone", b.Phone, "purchaser_country", "IT", "langtag", "en-US", "custom_f", `{"CUSTOMF_NAME":"` + b.Name + `"}`,
		"status", b.Status, "locked_until", lock(),
	}
}

// finish writes what follows the row of an appointment.
func (s *Site) finish(ctx context.Context, id int64, b Booking) error {
	for _, option := range b.Options {
		_, err := s.Insert(ctx, "res_opt_assoc", "id_reservation", id, "id_option", option, "id_variation", -1, "inc_price", 9,
			"net", 9, "tax", 0, "gross", 9, "quantity", 1)
		if err != nil {
			return err
		}
	}
	return s.AddStatus(ctx, "reservation", id, b.Status, onManage)
}

// SaveBooking saves columns of an appointment as the form does, with the columns that every save touches.
func (s *Site) SaveBooking(ctx context.Context, id int64, pairs ...any) error {
	return s.Update(ctx, "reservation", id, append(pairs, "locked_until", lock(), "modifiedon", now())...)
}

// Reschedule moves an appointment.
func (s *Site) Reschedule(ctx context.Context, id int64, checkIn time.Time) error {
	return s.SaveBooking(ctx, id, "checkin_ts", dateTime(checkIn))
}

// Confirm saves an appointment as confirmed: its status column, then its history.
func (s *Site) Confirm(ctx context.Context, id int64) error {
	if err := s.SaveBooking(ctx, id, "status", "C"); err != nil {
		return err
	}
	return s.AddStatus(ctx, "reservation", id, "C", onManage)
}

// Cancel takes the plugin's other way, of links in mails and the like: a raw UPDATE of the status, then the history.
// The plugin reports no save for it, only a status change.
func (s *Site) Cancel(ctx context.Context, id int64) error {
	if err := s.exec(ctx, "UPDATE %s\nSET `status` = 'X'\nWHERE `id` = '%d'", s.table("reservation"), id); err != nil {
		return err
	}
	return s.AddStatus(ctx, "reservation", id, "X", "VAP_STATUS_ORDER_CANCELLED")
}

// DeleteBookings deletes appointments with one statement, then what belonged to them.
func (s *Site) DeleteBookings(ctx context.Context, ids ...int64) error {
	if err := s.Remove(ctx, "reservation", ids...); err != nil {
		return err
	}
	if err := s.removeWhere(ctx, "res_opt_assoc", "`id_reservation` IN ("+list(ids)+")"); err != nil {
		return err
	}
	return s.removeWhere(ctx, "order_status", "`type` = 'reservation' AND `id_order` IN ("+list(ids)+")")
}

// OrderPackage makes an order of packages, one of each, with its items and its first status.
func (s *Site) OrderPackage(ctx context.Context, customer int64, status string, packages ...int64) (int64, error) {
	const price = 152
	id, err := s.Insert(ctx, "package_order", "sid", code(16), "status", status, "total_cost", price*len(packages),
		"total_net", price*len(packages), "total_tax", 0, "purchaser_nominative", "Greta Lund", "purchaser_mail", "greta@example.test",
		"purchaser_phone", "+39 347 5550110", "langtag", "en-US", "custom_f", `{"CUSTOMF_NAME":"Greta"}`, "createdon", now(),
		"createdby", 1, "id_user", customer)
	if err != nil {
		return 0, err
	}
	for _, p := range packages {
		_, err := s.Insert(ctx, "package_order_item", "id_order", id, "id_package", p, "price", price, "net", price, "gross", price,
			"quantity", 1, "num_app", 5, "used_app", 0)
		if err != nil {
			return 0, err
		}
	}
	return id, s.AddStatus(ctx, "package_order", id, status, onManage)
}

// SavePackageStatus saves a package order's status and its history.
func (s *Site) SavePackageStatus(ctx context.Context, id int64, status string) error {
	if err := s.Update(ctx, "package_order", id, "status", status); err != nil {
		return err
	}
	return s.AddStatus(ctx, "package_order", id, status, onManage)
}

// DeletePackageOrders deletes package orders with one statement, then what belonged to them.
func (s *Site) DeletePackageOrders(ctx context.Context, ids ...int64) error {
	if err := s.Remove(ctx, "package_order", ids...); err != nil {
		return err
	}
	if err := s.removeWhere(ctx, "package_order_item", "`id_order` IN ("+list(ids)+")"); err != nil {
		return err
	}
	return s.removeWhere(ctx, "order_status", "`type` = 'package_order' AND `id_order` IN ("+list(ids)+")")
}

const onManage = "VAP_STATUS_CHANGED_ON_MANAGE"

// AddStatus adds a row to an order's history; kind is "reservation" or "package_order".
func (s *Site) AddStatus(ctx context.Context, kind string, id int64, status, comment string) error {
	_, err := s.Insert(ctx, "order_status", "id_order", id, "status", status, "comment", comment, "client", 1, "ip", "127.0.0.1",
		"createdby", 1, "createdon", now(), "type", kind)
	return err
}

// now is the time as the plugin stores it, in UTC.
func now() string { return dateTime(time.Now()) }

func dateTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

// lock is the column locked_until of a save: keepapplock minutes from now.
func lock() int64 { return time.Now().Add(15 * time.Minute).Unix() }

// code is a random code such as the plugin gives to orders.
func code(n int) string { return rand.Text()[:n] }
