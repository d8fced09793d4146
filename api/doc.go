// Package api is what rowhook shows of itself: the views that commands write for programs, with their names in JSON and their units.
// They are the same wherever they are shown. What the daemon is asked over its socket is in package control.
package api
