// Package messages holds the list of everything that rowhook may say to a person: messages.txt, for who reviews the words.
// Its test makes the list from the source, and fails when the two differ; `go test ./messages -update` writes it anew.
package messages
