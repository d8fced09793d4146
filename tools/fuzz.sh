#!/bin/sh
# fuzz.sh TIME: runs every fuzz target of the module for TIME (10s), one after the other.
set -eu

time=${1:-10s}
listing=$(go test -list '^Fuzz' ./...)
targets=$(echo "$listing" | awk '
	/^Fuzz/ { names = names " " $1 }
	/^ok/   { count = split(names, name, " "); for (i = 1; i <= count; i++) print $2 ":" name[i]; names = "" }')
[ -n "$targets" ] || { echo "there are no fuzz targets" >&2; exit 1; }
for target in $targets; do
	echo "fuzz $target"
	go test -run '^$' -fuzz "^${target#*:}\$" -fuzztime "$time" "${target%:*}"
done
