package mysql

import (
	"encoding/binary"
	"errors"

	"rowhook/outbox/marks"
)

// encodeMarks is what is stored of the runs of a set: how far each begins behind the one before, and how much further it goes.
func encodeMarks(s *marks.Set) []byte {
	var data []byte
	at := s.Low
	for _, r := range s.Runs {
		data = binary.AppendUvarint(data, uint64(r.First-at))
		data = binary.AppendUvarint(data, uint64(r.Last-r.First))
		at = r.Last
	}
	return data
}

var errMarks = errors.New("the marks of an endpoint cannot be read: the table mark is damaged")

// decodeMarks is the opposite of encodeMarks.
func decodeMarks(low int64, data []byte) (marks.Set, error) {
	s := marks.Set{Low: low}
	for at := low; len(data) > 0; {
		gap, n := binary.Uvarint(data)
		if n <= 0 {
			return s, errMarks
		}
		more, k := binary.Uvarint(data[n:])
		const most = 1 << 62
		if k <= 0 || gap < 2 || gap > most || more > most || at > most || uint64(at)+gap+more > most {
			return s, errMarks
		}
		first := at + int64(gap)
		at = first + int64(more)
		s.Runs = append(s.Runs, marks.Run{First: first, Last: at})
		data = data[n+k:]
	}
	return s, nil
}
