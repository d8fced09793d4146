//go:build memory

package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"rowhook/cdc"
	"rowhook/connect"
	"rowhook/dbtest"
)

// follower is what the stage of the reader alone takes, measured in a process of its own: this test's, started again.
type follower struct {
	address  string
	position []byte
}

// newFollower notes where the log stands.
func newFollower(t *testing.T, server *dbtest.Server) *follower {
	t.Helper()
	s, err := openSource(t.Context(), server.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return &follower{server.Address(), data}
}

// peakBehind reads so many transactions with rows, and returns the peak of resident memory in MB.
func (f *follower) peakBehind(t *testing.T, txns int) float64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), followEnv+"="+f.address, "POSITION="+string(f.position), fmt.Sprintf("TXNS=%d", txns))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the reader alone: %v\n%s", err, out)
	}
	var peak float64
	if _, err := fmt.Sscan(string(out), &peak); err != nil {
		t.Fatalf("the reader alone said %q: %v", out, err)
	}
	return peak
}

const followEnv = "MEMORY_FOLLOW"

// TestMain follows a log when it is told to, in place of testing.
func TestMain(m *testing.M) {
	address := os.Getenv(followEnv)
	if address == "" {
		os.Exit(m.Run())
	}
	if err := followAlone(address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func openSource(ctx context.Context, address string) (*cdc.Source, error) {
	server := connect.New(connect.Config{Address: address, User: "rowhook", Password: connect.Password("secret")})
	return cdc.Open(ctx, server.Pool(), cdc.Config{
		Server: server, ServerID: 4711, Log: slog.New(slog.DiscardHandler), Statements: true,
		Watch: cdc.Watch{Tables: []cdc.TableName{{Schema: "wordpress", Name: "wp_vikappointments_reservation"}}},
	})
}

// counter is a sink that keeps no rows.
type counter struct{ txns, want int }

var errEnough = errors.New("enough")

func (c *counter) Change(*cdc.Change) error { return nil }
func (c *counter) Discard(int)              {}

func (c *counter) Commit(commit *cdc.Commit) error {
	if commit.Rows > 0 {
		c.txns++
	}
	if c.txns == c.want {
		return errEnough
	}
	return nil
}

func followAlone(address string) error {
	ctx := context.Background()
	s, err := openSource(ctx, address)
	if err != nil {
		return err
	}
	var p cdc.Position
	if err := json.NewDecoder(strings.NewReader(os.Getenv("POSITION"))).Decode(&p); err != nil {
		return err
	}
	c := &counter{}
	if _, err := fmt.Sscan(os.Getenv("TXNS"), &c.want); err != nil {
		return err
	}
	if err := s.Follow(ctx, p, nil, c); !errors.Is(err, errEnough) {
		return err
	}
	d := &daemon{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	d.measure()
	fmt.Println(d.peak)
	return nil
}
