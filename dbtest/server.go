// Package dbtest starts throwaway database servers for tests and for the demo, and fills them with a small salon: the
// booking plugin's tables, some sample data, and writes as the plugin makes them.
//
// A server has its own data directory, socket and port and dies with the process that started it; the machine's own
// server is never touched. Its data directory is a copy of one that is prepared once per machine and server version, so
// a server is up within a second.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rowhook/freeport"
)

// How long a server may take to come up, and to go down, on a busy machine.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// Server is a running server, or one that was stopped and may be restarted. It has one owner; its methods are not for
// several goroutines, but DB and Open are.
type Server struct {
	kind   Kind
	dir    string
	port   int
	args   []string
	env    []string // beside ours
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// Start runs the machine's own server until the test ends. The arguments go behind the default ones, so they win:
// "--skip-log-bin", "--binlog-format=MIXED". When the test failed, the server's log is shown.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return StartServer(tb, MariaDB1011, args...)
}

// StartServer is Start for any kind of server.
func StartServer(tb testing.TB, kind Kind, args ...string) *Server {
	tb.Helper()
	s, err := launch(tb.Context(), kind, tempDir(tb), args)
	if err != nil {
		tb.Fatal(err)
	}
	s.endWith(tb)
	return s
}

// tempDir is a directory for a server of a test.
func tempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "dbtest-") //nolint:usetesting // with a test's name in it, a socket's path becomes too long
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("removing the server's directory: %v", err)
		}
	})
	return dir
}

// endWith ends the server with the test, and shows its log when that has failed.
func (s *Server) endWith(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := s.Kill(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("the database server's log:\n%s", s.logTail())
		}
	})
}

// Launch runs the machine's own server, which keeps everything in dir, and waits until it answers. The directory must
// exist. ctx is for the launch only; the caller ends the server with Stop or Kill.
func Launch(ctx context.Context, dir string, args ...string) (*Server, error) {
	return launch(ctx, MariaDB1011, dir, args)
}

func launch(ctx context.Context, kind Kind, dir string, args []string) (*Server, error) {
	const longestSocketPath = 107
	s := &Server{kind: kind, dir: dir, args: args}
	if n := len(s.Socket()); n > longestSocketPath {
		return nil, fmt.Errorf("launching a database server: the path of its socket has %d characters, %d are allowed; use a shorter directory", n, longestSocketPath)
	}
	p, err := kind.program()
	if err == nil {
		err = p.copyTemplate(ctx, s.data())
	}
	if err != nil {
		return nil, fmt.Errorf("preparing a database server: %w", err)
	}
	for try := 0; ; try++ {
		port, err := freePort()
		if err != nil {
			return nil, fmt.Errorf("launching a database server: %w", err)
		}
		s.port = port
		err = s.Restart(ctx)
		if err == nil {
			return s, nil
		}
		// Between our asking for a free port and the server's taking it another process may have been quicker.
		if taken := strings.Contains(s.logTail(), "already in use"); !taken || try == 3 {
			return nil, err
		}
		if err := os.Remove(s.logPath()); err != nil {
			return nil, fmt.Errorf("launching a database server: %w", err)
		}
	}
}

// Kind is what kind of server it is.
func (s *Server) Kind() Kind { return s.kind }

// Address is where the server listens: "127.0.0.1:port".
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Socket is the path of the server's socket. Its directory is the owner's alone.
func (s *Server) Socket() string { return filepath.Join(s.dir, "s.sock") }

// Open connects to a schema ("" for none) as root, with sql_mode cleared as WordPress does. Several statements may go in one Exec.
func (s *Server) Open(schema string) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.DBName = "root", "unix", s.Socket(), schema
	cfg.MultiStatements, cfg.InterpolateParams = true, true
	cfg.Params = map[string]string{"sql_mode": "''"}
	cfg.Logger = silent{} // what it says while a server comes up or goes down is no news
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", s.Socket(), err)
	}
	return sql.OpenDB(connector), nil
}

type silent struct{}

func (silent) Print(...any) {}

// DB is Open for a test, closed with it.
func (s *Server) DB(tb testing.TB, schema string) *sql.DB {
	tb.Helper()
	db, err := s.Open(schema)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// Exec runs statements as root, without a default schema.
func (s *Server) Exec(tb testing.TB, query string, args ...any) {
	tb.Helper()
	db, err := s.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(tb.Context(), query, args...); err != nil {
		tb.Fatalf("%.200s: %v", query, err)
	}
}

// CreateUser makes a user who may connect over socket and TCP. A grant is what stands between GRANT and TO:
// "SELECT ON salon.*", "REPLICATION SLAVE, BINLOG MONITOR ON *.*".
func (s *Server) CreateUser(tb testing.TB, name, password string, grants ...string) {
	tb.Helper()
	if err := s.AddUser(tb.Context(), name, password, grants...); err != nil {
		tb.Fatal(err)
	}
}

// KillConnections ends all connections of a user.
func (s *Server) KillConnections(tb testing.TB, user string) {
	tb.Helper()
	db := s.DB(tb, "")
	rows, err := db.QueryContext(tb.Context(), "SELECT id FROM information_schema.processlist WHERE user = ?", user)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			tb.Fatal(err)
		}
		_, err := db.ExecContext(tb.Context(), "KILL ?", id)
		const gone = 1094 // by itself, meanwhile
		if refused, ok := errors.AsType[*mysql.MySQLError](err); err != nil && (!ok || refused.Number != gone) {
			tb.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
}

// AddUser is CreateUser without a test.
func (s *Server) AddUser(ctx context.Context, name, password string, grants ...string) error {
	db, err := s.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	user := quote(name) + "@'%'"
	if _, err := db.ExecContext(ctx, "CREATE USER "+user+" IDENTIFIED BY "+quote(password)); err != nil {
		return fmt.Errorf("creating user %s: %w", name, err)
	}
	for _, g := range grants {
		if _, err := db.ExecContext(ctx, "GRANT "+g+" TO "+user); err != nil {
			return fmt.Errorf("granting %s to %s: %w", g, name, err)
		}
	}
	return nil
}

// Stop shuts the server down in order and waits for its end.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

// Kill ends the server as a crash does. A server that does not run is no error.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the database server: %w", err)
	}
	late := time.NewTimer(stopTimeout)
	defer late.Stop()
	select {
	case <-s.exited:
		s.cmd = nil
		return nil
	case <-late.C:
		return fmt.Errorf("the database server did not end within %s", stopTimeout)
	}
}

// Restart runs a stopped or killed server again, on the same data and port, with the arguments it was started with and
// then these. A running server is stopped first.
func (s *Server) Restart(ctx context.Context, args ...string) error {
	if err := s.Stop(); err != nil {
		return err
	}
	if err := s.spawn(ctx, args); err != nil {
		return fmt.Errorf("starting a database server: %w", err)
	}
	if err := s.ready(ctx); err != nil {
		err = fmt.Errorf("starting a database server: %w; its log:\n%s", err, s.logTail())
		return errors.Join(err, s.Kill())
	}
	return nil
}

func (s *Server) spawn(ctx context.Context, more []string) error {
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                                                            // the server has its own copy
	if s.cmd, err = s.command(context.WithoutCancel(ctx), more...); err != nil { // it ends in its own ways: Stop, Kill
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // Ctrl-C is for us; we decide when the server ends
		Pdeathsig: syscall.SIGKILL, // a test that is killed leaves no server behind
	}
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		cmd.Wait() //nolint:errcheck // how it ended stands in its log
	}(s.cmd, s.exited)
	return nil
}

// command is the server's program on its data.
func (s *Server) command(ctx context.Context, more ...string) (*exec.Cmd, error) {
	p, err := s.kind.program()
	if err != nil {
		return nil, err
	}
	places := []string{
		"--datadir=" + s.data(), "--tmpdir=" + s.dir, "--socket=" + s.Socket(), "--pid-file=" + filepath.Join(s.dir, "pid"), "--port=" + strconv.Itoa(s.port),
	}
	cmd := p.command(ctx, slices.Concat(places, p.defaults(), s.args, more)...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	return cmd, nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	db, err := s.Open("")
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s: %w", startTimeout, err)
		case <-tick.C:
		}
	}
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logPath() string { return filepath.Join(s.dir, "error.log") }

// logTail is the end of the server's log.
func (s *Server) logTail() string {
	const most = 16 << 10
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// freePort is a port that nobody listens at.
func freePort() (int, error) {
	address, err := freeport.Address()
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
