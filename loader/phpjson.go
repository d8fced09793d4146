package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// node is a JSON value as PHP has it once decoded: objects are arrays with keys, in their order, and an array whose keys
// count from 0 is a list when it is encoded again. So {} comes out as [].
type node struct {
	scalar string // encoded; empty for arrays
	text   string // of a string its value
	array  bool
	keys   []string
	values []node
}

var nullNode = node{scalar: "null"}

// maxDepth is how deep PHP decodes by default.
const maxDepth = 512

// decodePHP decodes JSON that PHP wrote. What is no JSON is null, as in PHP.
func decodePHP(text string) node {
	if text == "" {
		return nullNode
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	n, err := decodeNode(d, 0)
	if err != nil {
		return nullNode
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nullNode
	}
	return n
}

func decodeNode(d *json.Decoder, depth int) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, errors.New("too deep")
		}
		return decodeArray(d, t == '{', depth)
	case string:
		return node{scalar: string(appendString(nil, t)), text: t}, nil
	case json.Number:
		return node{scalar: t.String(), text: t.String()}, nil
	case bool:
		return node{scalar: strconv.FormatBool(t)}, nil
	}
	return nullNode, nil
}

func decodeArray(d *json.Decoder, object bool, depth int) (node, error) {
	n := node{array: true}
	for d.More() {
		key := strconv.Itoa(len(n.values))
		if object {
			token, err := d.Token()
			if err != nil {
				return node{}, err
			}
			key, _ = token.(string)
		}
		value, err := decodeNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		if object {
			n.set(key, value)
		} else {
			n.keys, n.values = append(n.keys, key), append(n.values, value)
		}
	}
	_, err := d.Token()
	return n, err
}

// get is the value of a key; false when there is none.
func (n *node) get(key string) (node, bool) {
	for i, k := range n.keys {
		if k == key {
			return n.values[i], true
		}
	}
	return node{}, false
}

// set changes the value of a key, or adds it behind the others.
func (n *node) set(key string, value node) {
	for i, k := range n.keys {
		if k == key {
			n.values[i] = value
			return
		}
	}
	n.keys, n.values = append(n.keys, key), append(n.values, value)
}

// append encodes the value as PHP does.
func (n *node) append(b []byte) []byte {
	if !n.array {
		return append(b, n.scalar...)
	}
	list := true
	for i, k := range n.keys {
		list = list && k == strconv.Itoa(i)
	}
	if list {
		b = append(b, '[')
	} else {
		b = append(b, '{')
	}
	for i, k := range n.keys {
		if i > 0 {
			b = append(b, ',')
		}
		if !list {
			b = append(appendString(b, k), ':')
		}
		b = n.values[i].append(b)
	}
	if list {
		return append(b, ']')
	}
	return append(b, '}')
}

// empty says whether nothing is written in it: no text, no entry.
func (n *node) empty() bool {
	return n.text == "" && len(n.values) == 0 && (n.array || n.scalar == "null" || n.scalar == `""`)
}
