package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Account is the database user that rowhook will be.
type Account struct{ User, Password string }

// NewPassword makes up a password: 26 letters and digits, whose 130 bits nobody guesses.
func NewPassword() string { return rand.Text() }

// Statements are what an administrator types to make the user and give it what it needs. They may be typed again.
func (s *Server) Statements(a Account) []string {
	name := quote(a.User) + "@" + quote(s.Host)
	statements := []string{
		fmt.Sprintf("CREATE USER IF NOT EXISTS %s IDENTIFIED BY %s", name, quote(a.Password)),
		fmt.Sprintf("GRANT %s ON *.* TO %s", strings.Join(s.Survey.Privileges, ", "), name),
	}
	for _, schema := range s.schemas() {
		schema = strings.ReplaceAll(schema, "`", "``")
		if !s.Survey.LiteralGrants { // else _ stands for any character, and other schemas are granted, too
			schema = strings.NewReplacer("_", `\_`, "%", `\%`).Replace(schema)
		}
		statements = append(statements, fmt.Sprintf("GRANT SELECT ON `%s`.* TO %s", schema, name))
	}
	return statements
}

// schemas are those of the sites.
func (s *Server) schemas() []string {
	var names []string
	for _, site := range s.Sites {
		if !slices.Contains(names, site.Schema) {
			names = append(names, site.Schema)
		}
	}
	return names
}

// Apply runs the statements as an administrator, and logs in as the user they made.
func (s *Server) Apply(ctx context.Context, admin, a Account) error {
	server := dial(s.Address, admin.User, admin.Password)
	db := server.Pool()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("logging in to the database server as %s: %w; %s", admin.User, err, server.Advice(err))
	}
	defer conn.Close()
	statements := append([]string{"SET SESSION TRANSACTION READ WRITE"}, s.Statements(a)...) // our sessions only read
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			shown := strings.ReplaceAll(statement, quote(a.Password), "'...'")
			return fmt.Errorf("as %s: %s: %w", admin.User, shown, err)
		}
	}
	return s.try(ctx, a)
}

// try logs in as the user.
func (s *Server) try(ctx context.Context, a Account) error {
	db := dial(s.Address, a.User, a.Password).Pool()
	defer db.Close()
	err := db.PingContext(ctx)
	const denied = 1045
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == denied {
		return fmt.Errorf("the user %s was there already, with another password: %w; ALTER USER %s@%s IDENTIFIED BY '...'; or write its password into the file",
			a.User, err, quote(a.User), quote(s.Host))
	}
	if err != nil {
		return fmt.Errorf("logging in to the database server as %s: %w", a.User, err)
	}
	return nil
}

// quote is a text as a literal of SQL.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(text) + "'"
}
