package rowcodec

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"rowhook/cdc/wire"
)

// The types that MariaDB logs as BINARY and shows as text.

const (
	uuidSize  = 16
	inet4Size = 4
	inet6Size = 16
)

// shownAs is how such a type is written, false when a data_type is none of them, or has not the type's size.
func shownAs(dataType string, size int) (how, bool) {
	switch {
	case dataType == "uuid" && size == uuidSize:
		return asUUID, true
	case dataType == "inet4" && size == inet4Size:
		return asINET4, true
	case dataType == "inet6" && size == inet6Size:
		return asINET6, true
	}
	return asBytes, false
}

// appendFixedBinary adds the text of a value of shownAs; the zeros at its end were not logged.
func (f *field) appendFixedBinary(text, value []byte) []byte {
	var all [16]byte
	copy(all[:], value)
	switch f.how {
	case asUUID:
		text = hex.AppendEncode(text, all[:4])
		for _, part := range [][]byte{all[4:6], all[6:8], all[8:10], all[10:]} {
			text = hex.AppendEncode(append(text, '-'), part)
		}
		return text
	case asINET4:
		return netip.AddrFrom4([4]byte(all[:4])).AppendTo(text)
	}
	return appendINET6(text, all)
}

// appendINET6 adds an address as MariaDB's INET6 shows it: the first of the longest runs of zeros becomes a double
// colon, and addresses that hold one of IPv4 end in dots.
func appendINET6(text []byte, all [16]byte) []byte {
	const words = 8
	word := func(i int) uint64 { return wire.BigEndian(all[2*i : 2*i+2]) }
	at, length := 0, 0
	for i := 0; i < words; i++ {
		run := 0
		for i+run < words && word(i+run) == 0 {
			run++
		}
		if run > length {
			at, length = i, run
		}
		i += run
	}
	dotted := at == 0 && (length == 6 || length == 5 && word(5) == 0xffff)
	for i := 0; i < words; i++ {
		if length > 0 && i == at {
			text = append(text, "::"...)
			i += length - 1
			continue
		}
		if i > 0 && i != at+length {
			text = append(text, ':')
		}
		if dotted && i == 6 {
			return netip.AddrFrom4([4]byte(all[12:])).AppendTo(text)
		}
		text = strconv.AppendUint(text, word(i), 16)
	}
	return text
}
