package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"rowhook/config"
	"rowhook/connect"
)

// Account is the database user that rowhook will be.
type Account struct{ User, Password string }

// NewPassword makes up a password whose 130 bits nobody guesses. It has all that servers' rules for passwords ask for: letters large and
// small, digits, and others.
func NewPassword() string {
	text := rand.Text()
	half := len(text) / 2
	return text[:half] + "-" + strings.ToLower(text[half:]) + "_27"
}

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
	server, err := s.asAdmin(ctx, admin)
	if err != nil {
		return err
	}
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
			return fmt.Errorf("as %s: %s: %w%s", admin.User, shown, err, adviceApplying(err))
		}
	}
	return s.try(ctx, a)
}

// adviceApplying is what to do about a statement that the server refuses.
func adviceApplying(err error) string {
	const weakPassword = 1819
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == weakPassword {
		return "; the server's rules for passwords refuse the one that rowhook has: write another into credentials/database beside the configuration " +
			"(or database.password of a configuration that is there), and run init again"
	}
	return ""
}

// asAdmin logs in as an administrator, where the sites do, or else at the socket of the same server: at many that is the only place where
// root is let in.
func (s *Server) asAdmin(ctx context.Context, admin Account) (*connect.Server, error) {
	server, err := s.enter(ctx, s.Address, admin, false)
	if err == nil {
		return server, nil
	}
	if connect.CauseOf(err) == connect.Denied {
		if other := s.atSocket(ctx, admin); other != nil {
			return other, nil
		}
		return nil, fmt.Errorf("logging in to the database server at %s as %s: %w; name an administrator with --admin and --admin-password-file, "+
			"or run init without --apply and type what it prints", s.Address, admin.User, err)
	}
	return nil, fmt.Errorf("logging in to the database server at %s as %s: %w; %s", s.Address, admin.User, err, server.Advice(err))
}

// atSocket logs in at the server's own socket; nil where that does not do, or another server listens there.
func (s *Server) atSocket(ctx context.Context, admin Account) *connect.Server {
	if !isSocket(s.socket) || s.socket == s.Address {
		return nil
	}
	server := dial(s.socket, admin.User, admin.Password, config.TLS{})
	db := server.Pool()
	defer db.Close()
	if self, _, err := selfOf(ctx, db); err != nil || self != s.self {
		return nil
	}
	return dial(s.socket, admin.User, admin.Password, config.TLS{})
}

// try logs in as the user.
func (s *Server) try(ctx context.Context, a Account) error {
	db := dial(s.Address, a.User, a.Password, s.TLS).Pool()
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
