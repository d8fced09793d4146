#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the module for TIME (10s), one after the other.
set -eu

time=${1:-10s}
listing=$(go test -list '^Fuzz' ./...)
targets=$(echo "$listing" | awk '
	/^Fuzz/ { names = names " " $1 }
	/^ok/   { count = split(names, name, " "); for (i = 1; i <= count; i++) print $2 ":" name[i]; names = "" }')
[ -n "$targets" ] || { echo "there are no fuzz targets" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in $targets; do
	echo "fuzz $target"
	# Making an interesting input small may take longer than the whole run: few tries are enough here.
	if go test -run '^$' -fuzz "^${target#*:}\$" -fuzztime "$time" -fuzzminimizetime 10x "${target%:*}" >"$log" 2>&1; then
		grep 'elapsed' "$log" | tail -n 1
		continue
	fi
	cat "$log"
	# When time is up in the middle of an input, go test calls it a failure. A finding names its input.
	grep -q 'context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic' "$log" || exit 1
done
