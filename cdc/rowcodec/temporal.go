package rowcodec

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"rowhook/cdc/wire"
)

// newTemporal is the field of a date or a time. The types with a 2 have fractions of 0 to 6 digits behind their fixed
// part (MySQL 5.6, MariaDB 10.1); the older ones were kept by tables that are older.
func newTemporal(t byte, meta int, f field) (field, error) {
	f.kind = Text
	declared := f.scale
	f.scale = 0
	switch t {
	case mysql.MYSQL_TYPE_TIME2:
		f.how, f.size, f.scale = asTime, 3, meta
	case mysql.MYSQL_TYPE_DATETIME2:
		f.how, f.size, f.scale = asDatetime, 5, meta
	case mysql.MYSQL_TYPE_TIMESTAMP2:
		f.how, f.size, f.scale = asTimestamp, 4, meta
	case mysql.MYSQL_TYPE_YEAR:
		f.how, f.size, f.scale = asYear, 1, declared
		return f, nil
	case mysql.MYSQL_TYPE_DATE, mysql.MYSQL_TYPE_NEWDATE:
		f.how, f.size = asDate, 3
		return f, nil
	case mysql.MYSQL_TYPE_TIME:
		f.how, f.size = asOldTime, 3
	case mysql.MYSQL_TYPE_DATETIME:
		f.how, f.size = asOldDatetime, 8
	case mysql.MYSQL_TYPE_TIMESTAMP:
		f.how, f.size = asOldTimestamp, 4
	default:
		return f, fmt.Errorf("type %d is no date or time", t)
	}
	if f.scale > 6 {
		return f, fmt.Errorf("a time with %d digits behind the seconds does not exist", f.scale)
	}
	if f.how == asOldTime || f.how == asOldDatetime || f.how == asOldTimestamp {
		if declared > 0 {
			return f, &UndecodableError{what: "a time whose fractions are in the format of MariaDB 5.3", to: "the same type, with mysql56_temporal_format = ON"}
		}
		return f, nil
	}
	f.size += (f.scale + 1) / 2
	return f, nil
}

// appendTemporal adds the text of a value of newTemporal. See my_time.cc in MySQL's mysys, and
// https://dev.mysql.com/doc/dev/mysql-server/latest/ under "Date and time".
func (f *field) appendTemporal(text, value []byte) []byte {
	switch f.how {
	case asDate:
		v := wire.LittleEndian(value)
		return appendDate(text, v>>9, v>>5&15, v&31)
	case asTime:
		return appendTime(text, value, f.scale)
	case asDatetime:
		v := wire.BigEndian(value[:5]) - 1<<39
		months, days := v>>22, v>>17&31
		text = appendDate(text, months/13, months%13, days)
		text = appendClock(append(text, ' '), v>>12&31, v>>6&63, v&63)
		return appendFraction(text, wire.BigEndian(value[5:]), f.scale)
	case asTimestamp:
		return appendTimestamp(text, binary.BigEndian.Uint32(value), wire.BigEndian(value[4:]), f.scale)
	case asOldTime:
		v := int64(wire.LittleEndian(value)<<40) >> 40
		if v < 0 {
			text, v = append(text, '-'), -v
		}
		return appendClock(text, uint64(v/10000), uint64(v/100%100), uint64(v%100))
	case asOldDatetime:
		v := wire.LittleEndian(value)
		day, clock := v/1e6, v%1e6
		text = appendDate(text, day/1e4, day/100%100, day%100)
		return appendClock(append(text, ' '), clock/1e4, clock/100%100, clock%100)
	case asOldTimestamp:
		return appendTimestamp(text, binary.LittleEndian.Uint32(value), 0, 0)
	case asYear:
		return appendYear(text, value[0], f.scale)
	}
	return text
}

// appendTime adds a TIME(scale): a number offset by half its range, of which the fraction takes the lower bytes.
func appendTime(text, value []byte, scale int) []byte {
	v := int64(wire.BigEndian(value)) - 1<<(8*len(value)-1)
	if v < 0 {
		text, v = append(text, '-'), -v
	}
	fraction := 8 * (len(value) - 3)
	clock := uint64(v) >> fraction
	text = appendClock(text, clock>>12&1023, clock>>6&63, clock&63)
	return appendFraction(text, uint64(v)&(1<<fraction-1), scale)
}

// appendTimestamp adds a TIMESTAMP in UTC; all zeros are the zero date.
func appendTimestamp(text []byte, seconds uint32, fraction uint64, scale int) []byte {
	if seconds == 0 && fraction == 0 {
		text = append(text, "0000-00-00 00:00:00"...)
	} else {
		t := time.Unix(int64(seconds), 0).UTC()
		year, month, day := t.Date()
		text = appendDate(text, uint64(year), uint64(month), uint64(day))
		clock := uint64(seconds % 86400)
		text = appendClock(append(text, ' '), clock/3600, clock/60%60, clock%60)
	}
	return appendFraction(text, fraction, scale)
}

// appendYear adds a YEAR: the years since 1900, with 0 for the year 0000. A YEAR(2) shows its last two digits.
func appendYear(text []byte, value byte, digits int) []byte {
	year := uint64(value)
	if year > 0 {
		year += 1900
	}
	if digits == 2 {
		return appendTwo(text, year%100)
	}
	return appendTwo(appendTwo(text, year/100), year%100)
}

func appendDate(text []byte, year, month, day uint64) []byte {
	text = appendTwo(appendTwo(text, year/100%100), year%100)
	text = appendTwo(append(text, '-'), month)
	return appendTwo(append(text, '-'), day)
}

func appendClock(text []byte, hours, minutes, seconds uint64) []byte {
	if hours > 99 {
		text = strconv.AppendUint(text, hours, 10)
	} else {
		text = appendTwo(text, hours)
	}
	text = appendTwo(append(text, ':'), minutes)
	return appendTwo(append(text, ':'), seconds)
}

// appendFraction adds the point and scale digits. They are stored in pairs, so an odd scale has one digit too many.
func appendFraction(text []byte, fraction uint64, scale int) []byte {
	if scale == 0 {
		return text
	}
	if scale%2 == 1 {
		fraction /= 10
	}
	return appendPadded(append(text, '.'), uint32(fraction), scale)
}

// appendTwo adds the last two digits of n.
func appendTwo(text []byte, n uint64) []byte {
	return append(text, byte('0'+n/10%10), byte('0'+n%10))
}
