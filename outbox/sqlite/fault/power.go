//go:build crash

package fault

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// power remembers what a power cut may take back: everything that was changed since it was synced. Writes reach the
// files at once, so that reading needs no help; a cut takes older sectors instead.
type power struct {
	on     bool
	random *rand.Rand
	files  map[string]*unsynced
	names  []rename
}

// unsynced is what changed of a file since its last sync.
type unsynced struct {
	sizes   []int64            // the durable one, then those after each change
	sectors map[int64][][]byte // by number: the durable content, nil beyond the end, then those after each change
	lost    int64              // the first sector of a truncation that no disk has, nor what came there after it; noSector: of none
}

// noSector is beyond all.
const noSector = math.MaxInt64

// storage is what power wants to know of an open file.
type storage interface {
	io.ReaderAt
	Size() (int64, error)
}

// rename is a name that came or went since the directory was synced.
type rename struct {
	path    string
	created bool
	content []byte // of what was deleted
}

func newPower(seed uint64, on bool) power {
	return power{on: on, random: rand.New(rand.NewPCG(seed, 0)), files: map[string]*unsynced{}}
}

// String is for the record.
func (u *unsynced) String() string {
	text := fmt.Sprintf("%d sectors, sizes from %d to %d", len(u.sectors), slices.Min(u.sizes), slices.Max(u.sizes))
	if u.lost < noSector {
		text += fmt.Sprintf(", a truncation to sector %d that is lost", u.lost)
	}
	return text
}

// changes does a change of the bytes from off to end, and remembers what was there.
func (p *power) changes(f storage, path string, off, end int64, do func() error) error {
	if !p.on {
		return do()
	}
	u, err := p.unsynced(f, path)
	if err != nil {
		return err
	}
	first, last := off/sector, min((end+sector-1)/sector, u.lost)
	u.remember(f, first, last)
	err = do()
	for n := first; n < last; n++ {
		u.sectors[n] = append(u.sectors[n], readSector(f, n))
	}
	if u.lost < noSector {
		return err
	}
	size, sizeErr := f.Size()
	u.sizes = append(u.sizes, size)
	return errors.Join(err, sizeErr)
}

// truncates makes a file shorter. On the disk that is done or it is not, at once and as a whole, as a file system's journal
// has it: a file of which the beginning is left alone would be another one, and for the log in front of a database an older
// one, of pages that were moved into the database long since. Nor is anything left of a truncation that was not done: what is
// written behind it goes elsewhere. Which of the two it will have been is chosen here.
func (p *power) truncates(f storage, path string, size int64, do func() error) error {
	if !p.on {
		return do()
	}
	u, err := p.unsynced(f, path)
	if err != nil {
		return err
	}
	old, err := f.Size()
	if err != nil {
		return err
	}
	if u.lost < noSector || p.random.IntN(2) == 0 {
		u.remember(f, size/sector, min((old+sector-1)/sector, u.lost))
		u.lost = min(u.lost, size/sector)
		return do()
	}
	u.sizes = []int64{size}
	maps.DeleteFunc(u.sectors, func(n int64, _ [][]byte) bool { return n*sector >= size })
	return do()
}

// unsynced is what is remembered of a file.
func (p *power) unsynced(f storage, path string) (*unsynced, error) {
	u := p.files[path]
	if u == nil {
		size, err := f.Size()
		if err != nil {
			return nil, err
		}
		u = &unsynced{sizes: []int64{size}, sectors: map[int64][][]byte{}, lost: noSector}
		p.files[path] = u
	}
	return u, nil
}

// remember keeps what the disk has of some sectors that will change.
func (u *unsynced) remember(f storage, first, last int64) {
	for n := first; n < last; n++ {
		if u.sectors[n] == nil {
			u.sectors[n] = [][]byte{readSector(f, n)}
		}
	}
}

// readSector reads a sector as far as the file has it; nil when it does not.
func readSector(f io.ReaderAt, n int64) []byte {
	b := make([]byte, sector)
	got, _ := f.ReadAt(b, n*sector)
	if got == 0 {
		return nil
	}
	return b[:got]
}

func (p *power) synced(path string, lie bool) {
	if !lie {
		delete(p.files, path)
	}
}

func (p *power) namesSynced(lie bool) {
	if !lie {
		p.names = nil
	}
}

func (p *power) creates(path string) {
	if p.on {
		p.names = append(p.names, rename{path: path, created: true})
	}
}

// deletes remembers a file that is about to be deleted, as the cut would leave it.
func (p *power) deletes(path string) error {
	if !p.on {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if u := p.files[path]; u != nil {
		content = p.image(content, u, p.mood())
		delete(p.files, path)
	}
	p.names = append(p.names, rename{path: path, content: content})
	return nil
}

// mood is how much of what was not synced survives a cut: nothing, everything, or parts.
func (p *power) mood() float64 {
	return [...]float64{0, 1, 0.5, p.random.Float64()}[p.random.IntN(4)]
}

// The files that a power cut changes are changed when the process is dead, by AfterCut: until then it goes on reading
// them. Beside each lies what the disk has of it, or a mark that it has nothing; and when all of that is written, beside them
// a record of what was chosen. A process that is killed before was only killed.
const (
	cutImage  = ".cut"
	cutGone   = ".cut-gone"
	cutRecord = "power-cut.txt"
)

// cut notes what the files are after the power cut.
func (p *power) cut() error {
	survives := p.mood()
	disk := map[string][]byte{} // nil: no file
	var record strings.Builder
	fmt.Fprintf(&record, "of what was not synced %.3g survives\n", survives)
	for path, u := range p.files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		disk[path] = p.image(content, u, survives)
		fmt.Fprintf(&record, "%s, not synced: %s; it has %d bytes, and after the cut %d\n", filepath.Base(path), u, len(content), len(disk[path]))
	}
	for _, n := range slices.Backward(p.names) {
		lost := p.random.Float64() >= survives
		fmt.Fprintf(&record, "%s, not synced: created %v (else deleted); lost %v\n", filepath.Base(n.path), n.created, lost)
		switch {
		case lost && n.created:
			disk[n.path] = nil
		case lost && !isThere(n.path, disk):
			disk[n.path] = n.content
		}
	}
	dirs := map[string]bool{}
	for path, content := range disk {
		suffix := cutImage
		if content == nil {
			suffix = cutGone
		}
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			return err
		}
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		if err := os.WriteFile(filepath.Join(dir, cutRecord), []byte(record.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// isThere says whether there is a file after the cut, as far as it is known.
func isThere(path string, disk map[string][]byte) bool {
	if content, known := disk[path]; known {
		return content != nil
	}
	_, err := os.Stat(path)
	return err == nil
}

// AfterCut changes the files in a directory as the power cut, which ended the process that had them open, wanted it.
func AfterCut(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	record := filepath.Join(dir, cutRecord)
	_, whole := os.Stat(record)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		image, isImage := strings.CutSuffix(path, cutImage)
		gone, isGone := strings.CutSuffix(path, cutGone)
		switch {
		case (isImage || isGone) && whole != nil:
			err = errors.Join(err, os.Remove(path))
		case isImage:
			err = errors.Join(err, os.Rename(path, image))
		case isGone:
			err = errors.Join(err, os.Remove(path), os.RemoveAll(gone))
		}
	}
	return errors.Join(err, os.RemoveAll(record))
}

// image is what the disk has of a file: of each sector that was not synced any content it ever had since, whatever the
// others have, and of the file any length. Where it grew without content lies anything.
func (p *power) image(content []byte, u *unsynced, survives float64) []byte {
	size := u.sizes[len(u.sizes)-1]
	if p.random.Float64() >= survives {
		size = u.sizes[p.random.IntN(len(u.sizes))]
	}
	disk := make([]byte, max(size, int64(len(content))))
	copy(disk, content)
	for _, n := range slices.Sorted(maps.Keys(u.sectors)) {
		versions := u.sectors[n]
		chosen := versions[0]
		if len(versions) > 1 && p.random.Float64() < survives {
			chosen = versions[1+p.random.IntN(len(versions)-1)]
		}
		at := n * sector
		if at >= int64(len(disk)) {
			continue
		}
		place := disk[at:min(at+sector, int64(len(disk)))]
		copied := copy(place, chosen)
		p.junk(place[copied:])
	}
	return disk[:size]
}

// junk fills a place that was never written: with zeros, or with what was there in another file.
func (p *power) junk(place []byte) {
	clear(place)
	if p.random.IntN(2) == 0 {
		return
	}
	for i := range place {
		place[i] = byte(p.random.Uint32())
	}
}
