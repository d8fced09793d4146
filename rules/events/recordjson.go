package events

import (
	"encoding/json"
	"fmt"
	"strconv"

	"rowhook/rules"
)

// recordVersion is that of the records that are written. Those before had none, and numbers for keys; they are read too.
const recordVersion = 1

// encodeRecord is a record's value as JSON, with its version in front: {"v":1,"status":"C"}. The value is a struct of texts,
// numbers and times of this century, so it cannot fail.
func encodeRecord(value any) []byte {
	fields, _ := json.Marshal(value)
	data := append([]byte(`{"v":`), strconv.Itoa(recordVersion)...)
	if len(fields) > len("{}") {
		data = append(data, ',')
	}
	return append(data, fields[1:]...)
}

// decodeRecord reads what encodeRecord wrote, or an earlier version. What a later one wrote means something else, perhaps.
func decodeRecord(data []byte, into any) error {
	var of struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(data, &of); err != nil {
		return err
	}
	if of.Version > recordVersion {
		return fmt.Errorf("it is of a later version of rowhook: its form is %d, and this version knows those up to %d", of.Version, recordVersion)
	}
	return json.Unmarshal(data, into)
}

// oldKey is a key that was a number once.
type oldKey rules.Key

// UnmarshalJSON reads a text, or a number.
func (k *oldKey) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err == nil && len(data) > 0 && data[0] != '"' {
		*k = oldKey(n)
		return nil
	}
	return json.Unmarshal(data, (*rules.Key)(k))
}
