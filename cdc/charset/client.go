package charset

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Client is what a program makes of text that it gets over a connection in another charset, when it takes all bytes for
// UTF-8. WordPress does so: with DB_CHARSET latin1 it has written UTF-8 into what the server takes for latin1, and reads
// it back the same way. It may be used by many at once; nil is a client whose connection is in UTF-8.
type Client struct {
	charset string
	from    Decoder
	bytes   map[rune]byte     // of a charset with one byte each
	multi   encoding.Encoding // of one with more
	most    rune              // of utf8mb3: beyond it there are no characters; else 0
}

// NewClient is a client over a connection in a charset, nil where that changes nothing. WordPress takes utf8 for utf8mb4.
func NewClient(charset string) (*Client, error) {
	switch charset {
	case "", "utf8", "utf8mb4":
		return nil, nil
	case "utf8mb3":
		return &Client{charset: charset, from: utf8Text{}, most: 0xffff}, nil
	case "ascii":
		return &Client{charset: charset, from: utf8Text{}, bytes: map[rune]byte{}}, nil
	}
	d, err := NewDecoder(charset)
	if err != nil {
		return nil, err
	}
	c := &Client{charset: charset, from: d}
	switch d := d.(type) {
	case *byteText:
		if !d.ascii {
			return nil, fmt.Errorf("a connection in charset %q", charset)
		}
		c.bytes = map[rune]byte{}
		for b := utf8.RuneSelf; b < len(d.chars); b++ {
			if r := d.chars[b]; r != utf8.RuneError {
				c.bytes[r] = byte(b)
			}
		}
	case multiByteText:
		c.multi = d.encoding
	case chineseText:
		c.multi = simplifiedchinese.GBK
	default: // the servers let no client have it
		return nil, fmt.Errorf("a connection in charset %q", charset)
	}
	return c, nil
}

// Reread makes of the text behind start, in UTF-8, what the client sees: the server writes it in the connection's charset,
// with a question mark for what that lacks, and the bytes are UTF-8 again. Bytes that are none stay the character that they
// were: they were not written through such a connection.
func (c *Client) Reread(text []byte, start int) []byte {
	if c == nil {
		return text
	}
	start += asciiPrefix(text[start:])
	if start == len(text) {
		return text
	}
	value := bytes.Clone(text[start:])
	text = text[:start]
	var sent []byte
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		sent = c.send(sent[:0], r)
		end := size
		for end < len(value) && unfinished(sent) {
			next, n := utf8.DecodeRune(value[end:])
			sent = c.send(sent, next)
			end += n
		}
		if utf8.Valid(sent) {
			text, value = append(text, sent...), value[end:]
			continue
		}
		text, value = append(text, value[:size]...), value[size:]
	}
	return text
}

// Shares says whether text in a charset comes to the client as it is stored, byte by byte.
func (c *Client) Shares(charset string) bool { return c != nil && c.charset == charset }

// Append adds what the client sees of text in the connection's own charset. The server sends it as it is, even bytes that
// are no character.
func (c *Client) Append(text, value []byte) []byte {
	if utf8.Valid(value) {
		return append(text, value...)
	}
	start := len(text)
	return c.Reread(c.from.Append(text, value), start)
}

// Stored is how the server has a text that the client sees: what a condition must compare with.
func (c *Client) Stored(text string) string {
	if c == nil {
		return text
	}
	return string(c.from.Append(nil, []byte(text)))
}

// send adds a character in the connection's charset.
func (c *Client) send(b []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return append(b, byte(r))
	case c.most > 0 && r <= c.most:
		return utf8.AppendRune(b, r)
	case c.multi != nil:
		char := utf8.AppendRune(nil, r)
		sent, err := c.multi.NewEncoder().Bytes(char)
		if err == nil && bytes.Equal(c.from.Append(nil, sent), char) { // the server's table may lack what ours has
			return append(b, sent...)
		}
	}
	if sent, ok := c.bytes[r]; ok {
		return append(b, sent)
	}
	return append(b, '?')
}

// unfinished says whether text ends with a character that may go on.
func unfinished(text []byte) bool {
	for len(text) > 0 {
		if !utf8.FullRune(text) {
			return true
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		text = text[n:]
	}
	return false
}
