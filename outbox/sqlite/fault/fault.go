//go:build crash

// Package fault is a file system under the outbox that fails as machines do. Only binaries that are built with the tag
// crash have it, and there it does nothing unless the environment asks for it.
//
//	ROWHOOK_FAULT="kill any 17"        SIGKILL right before the 17th change of a file
//	ROWHOOK_FAULT="torn db 3"          the same for the outbox's main file alone; a write is half done
//	ROWHOOK_FAULT="kill stop 2"        before the second change since the process was told to stop
//	ROWHOOK_FAULT="kill db,sync 1"     before the first sync of the main file
//	ROWHOOK_FAULT="power any 17 42"    a power cut: what was not synced is dropped, in parts that the seed 42 chooses
//	ROWHOOK_FAULT="power signal 0 42"  the same at SIGUSR1
//	ROWHOOK_FAULT="lie power any 9 1"  a disk that only says that it synced
//
// A change is one of write, truncate, grow, sync, create and delete: each point where what is durable may change.
package fault

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3/vfs"
)

// Variable is the environment variable that says what shall happen.
const Variable = "ROWHOOK_FAULT"

// Query is what chooses the file system in SQLite's URI; empty when no fault is wanted.
func Query() string { return query() }

var query = sync.OnceValue(func() string {
	text := os.Getenv(Variable)
	if text == "" {
		return ""
	}
	p, err := parsePlan(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(2)
	}
	system, _ := vfs.Find("os").(vfs.VFSFilename) // SQLite's own, which is one
	vfs.Register("fault", newMachine(system, p))
	return "&vfs=fault"
})

// plan is what shall happen, and when.
type plan struct {
	lie    bool   // a sync changes nothing
	action string // kill, torn, power
	where  string // any, or with commas: db, stop, signal, a kind of change
	n      int    // the change before which it happens, counted there
	seed   uint64
}

// at says whether a condition is among where.
func (p plan) at(condition string) bool {
	return slices.Contains(strings.Split(p.where, ","), condition)
}

func parsePlan(text string) (p plan, err error) {
	rest, lie := strings.CutPrefix(text, "lie ")
	p.lie = lie
	fields, err := fmt.Sscan(rest, &p.action, &p.where, &p.n, &p.seed)
	if fields == 3 {
		err = nil // the seed may be left out
	}
	known := slices.Contains([]string{"kill", "torn", "power"}, p.action)
	if err == nil && !known {
		err = errors.New("there is no such fault")
	}
	if err != nil {
		return p, fmt.Errorf("%s=%q: %w", Variable, text, err)
	}
	return p, nil
}

// machine is the file system, with its power.
type machine struct {
	vfs.VFSFilename
	plan  plan
	power power

	mu      sync.Mutex
	changes int
	stopped bool // the process was told to stop
}

func newMachine(system vfs.VFSFilename, p plan) *machine {
	m := &machine{VFSFilename: system, plan: p, power: newPower(p.seed, p.action == "power")}
	told := make(chan os.Signal, 1)
	switch {
	case p.at("stop"):
		signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	case p.at("signal"):
		signal.Notify(told, syscall.SIGUSR1)
	default:
		return m
	}
	go func() { // as long as the process
		<-told
		m.mu.Lock()
		defer m.mu.Unlock()
		m.stopped = true
		if p.at("signal") {
			m.die("signal", "")
		}
	}()
	return m
}

// before is called, with mu held, before each change of a file.
func (m *machine) before(change, path string) { m.beforeWrite(change, path, func() {}) }

// beforeWrite is before, for a change that half can do in part.
func (m *machine) beforeWrite(change, path string, half func()) {
	if !m.counts(change, path) {
		return
	}
	if m.changes++; m.changes != m.plan.n {
		return
	}
	if m.plan.action == "torn" {
		half()
	}
	m.die(change, path)
}

// counts says whether a change is of those that the plan counts.
func (m *machine) counts(change, path string) bool {
	for condition := range strings.SplitSeq(m.plan.where, ",") {
		met := condition == change
		switch condition {
		case "any":
			met = true
		case "stop":
			met = m.stopped
		case "db":
			met = filepath.Ext(path) == ".db"
		}
		if !met { // as "signal" never is
			return false
		}
	}
	return true
}

// die ends the process as a crash or a power cut does. What the test reads of it is written before.
func (m *machine) die(change, path string) {
	if m.plan.action == "power" {
		if err := m.power.cut(); err != nil {
			fmt.Fprintln(os.Stderr, "fault: cutting the power failed:", err)
			os.Exit(2)
		}
	}
	fmt.Fprintf(os.Stderr, "fault: %s %s %d: %s %s\n", m.plan.action, m.plan.where, m.changes, change, filepath.Base(path))
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // cannot fail
	select {}
}

// Delete is vfs.VFS.
func (m *machine) Delete(path string, syncDir bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := os.Stat(path); err != nil {
		return m.VFSFilename.Delete(path, syncDir)
	}
	m.before("delete", path)
	if err := m.power.deletes(path); err != nil {
		return err
	}
	err := m.VFSFilename.Delete(path, syncDir)
	if err == nil && syncDir {
		m.power.namesSynced(m.plan.lie)
	}
	return err
}

// OpenFilename is vfs.VFSFilename.
func (m *machine) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil { // a temporary file
		return m.VFSFilename.OpenFilename(name, flags)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	path := name.String()
	if _, err := os.Stat(path); err != nil && flags&vfs.OPEN_CREATE != 0 {
		m.before("create", path)
		m.power.creates(path)
	}
	f, flags, err := m.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return f, flags, err
	}
	inner, _ := f.(systemFile) // SQLite's own file, which is one
	log := flags&(vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_WAL) != 0
	return &file{systemFile: inner, machine: m, path: path, syncsName: log && flags&vfs.OPEN_CREATE != 0}, flags, nil
}

// systemFile is what a file of SQLite's own file system can do.
type systemFile interface {
	vfs.FileLockState
	vfs.FileHasMoved
	vfs.FileSizeHint
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
}

// file is an open file.
type file struct {
	systemFile
	machine   *machine
	path      string
	syncsName bool // its first sync makes its name durable too
}

// WriteAt is vfs.File.
func (f *file) WriteAt(b []byte, off int64) (n int, err error) {
	m := f.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beforeWrite("write", f.path, func() { _, _ = f.systemFile.WriteAt(b[:len(b)/2], off) })
	err = m.power.changes(f, f.path, off, off+int64(len(b)), func() error {
		n, err = f.systemFile.WriteAt(b, off)
		return err
	})
	return n, err
}

// Truncate is vfs.File.
func (f *file) Truncate(size int64) error {
	m := f.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before("truncate", f.path)
	old, err := f.Size()
	if err != nil {
		return err
	}
	do := func() error { return f.systemFile.Truncate(size) }
	if size > old {
		return m.power.changes(f, f.path, old, size, do)
	}
	return m.power.truncates(f, f.path, size, do)
}

// SizeHint is vfs.FileSizeHint: the file grows.
func (f *file) SizeHint(size int64) error {
	m := f.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	old, err := f.Size()
	if err != nil || size <= old {
		return err
	}
	m.before("grow", f.path)
	return m.power.changes(f, f.path, old, size, func() error { return f.systemFile.SizeHint(size) })
}

// Sync is vfs.File.
func (f *file) Sync(flags vfs.SyncFlag) error {
	m := f.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before("sync", f.path)
	if err := f.systemFile.Sync(flags); err != nil {
		return err
	}
	m.power.synced(f.path, m.plan.lie)
	if f.syncsName {
		f.syncsName = false
		m.power.namesSynced(m.plan.lie)
	}
	return nil
}
