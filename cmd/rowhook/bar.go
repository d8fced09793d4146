package main

import (
	"io"

	"github.com/schollz/progressbar/v3"
)

// newBar shows on a terminal how much of some rows is done, and how long the rest may take. Where w is none it shows nothing.
func newBar(w io.Writer, rows int64) *progressbar.ProgressBar {
	return bar(w, rows, progressbar.OptionSetWidth(20), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"))
}

// newSpinner shows on a terminal that work goes on of which nobody knows how long it takes; Describe says how far it is. Where a
// person sees its results, which go to out, nothing else is shown.
func newSpinner(w, out io.Writer) *progressbar.ProgressBar {
	if isTerminal(out) {
		w = io.Discard
	}
	return bar(w, -1, progressbar.OptionSpinnerType(14), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetSpinnerChangeInterval(0)) // else a goroutine turns it
}

func bar(w io.Writer, total int64, how ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, append(how, progressbar.OptionSetWriter(w), progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionUseANSICodes(true))...)
}
