package cdc

import "rowhook/cdc/charset"

// Client is what a program that takes all bytes for UTF-8 makes of text it gets over a connection in another charset; nil
// is one whose connection is in UTF-8.
type Client = charset.Client

// NewClient is the client over a connection in a charset, by the server's name for it. The error says that there is none.
func NewClient(name string) (*Client, error) { return charset.NewClient(name) }
