//go:build crash

package fault

import (
	"errors"
	"io"
	"maps"
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

// changes does a change of the bytes from off to end, and remembers what was there.
func (p *power) changes(f *file, off, end int64, do func() error) error {
	if !p.on {
		return do()
	}
	u := p.files[f.path]
	if u == nil {
		size, err := f.Size()
		if err != nil {
			return err
		}
		u = &unsynced{sizes: []int64{size}, sectors: map[int64][][]byte{}}
		p.files[f.path] = u
	}
	first, last := off/sector, (end+sector-1)/sector
	for n := first; n < last; n++ {
		if u.sectors[n] == nil {
			u.sectors[n] = [][]byte{readSector(f, n)}
		}
	}
	err := do()
	for n := first; n < last; n++ {
		u.sectors[n] = append(u.sectors[n], readSector(f, n))
	}
	size, sizeErr := f.Size()
	u.sizes = append(u.sizes, size)
	return errors.Join(err, sizeErr)
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
// them. Beside each lies what the disk has of it, or a mark that it has nothing.
const (
	cutImage = ".cut"
	cutGone  = ".cut-gone"
)

// cut notes what the files are after the power cut.
func (p *power) cut() error {
	survives := p.mood()
	disk := map[string][]byte{} // nil: no file
	for path, u := range p.files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		disk[path] = p.image(content, u, survives)
	}
	for _, n := range slices.Backward(p.names) {
		if p.random.Float64() < survives {
			continue
		}
		if n.created {
			disk[n.path] = nil
		} else if _, there := os.Stat(n.path); there != nil {
			disk[n.path] = n.content
		}
	}
	for path, content := range disk {
		suffix := cutImage
		if content == nil {
			suffix = cutGone
		}
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// AfterCut changes the files in a directory as the power cut, which ended the process that had them open, wanted it.
func AfterCut(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if name, ok := strings.CutSuffix(path, cutImage); ok {
			err = errors.Join(err, os.Rename(path, name))
		}
		if name, ok := strings.CutSuffix(path, cutGone); ok {
			err = errors.Join(err, os.Remove(path), os.RemoveAll(name))
		}
	}
	return err
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
		if p.random.Float64() < survives {
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
