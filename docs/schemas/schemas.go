// Package schemas holds the JSON schemas of the payloads, which are documentation, for programs that want their shape.
package schemas

import "embed"

//go:embed *.json
var files embed.FS

// Read returns the schema of an action's payload, "appointment.save.full" or "customer.delete". The error says that there is none.
func Read(name string) ([]byte, error) { return files.ReadFile(name + ".json") }
