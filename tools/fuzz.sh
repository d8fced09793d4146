#!/bin/sh
# fuzz.sh TIME [PACKAGE...]: runs every fuzz target of the packages (all) for TIME (10s), two at a time on one core each.
set -eu

time=${1:-10s}
[ $# -eq 0 ] || shift
packages=${*:-./...}
# shellcheck disable=SC2086 # it is a list
listing=$(go test -list '^Fuzz' $packages)
targets=$(echo "$listing" | awk '
	/^Fuzz/ { names = names " " $1 }
	/^ok/   { count = split(names, name, " "); for (i = 1; i <= count; i++) print $2 ":" name[i]; names = "" }')
[ -n "$targets" ] || { echo "there are no fuzz targets" >&2; exit 1; }

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export time logs
# The arguments of a target's shell: "package:name". Making an interesting input small may take longer than the whole
# run: few tries are enough here. When time is up in the middle of an input, go test calls it a failure; a finding names
# its input.
# shellcheck disable=SC2016 # the other shell expands it
echo "$targets" | xargs -P 2 -I TARGET sh -c '
	target=$1 name=${1#*:}
	log=$(mktemp -p "$logs")
	if ! GOMAXPROCS=1 go test -run "^\$" -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 1 "${target%:*}" >"$log" 2>&1; then
		if ! grep -q "context deadline exceeded" "$log" || grep -qE "Failing input|panic" "$log"; then
			cat "$log"
			exit 1
		fi
	fi
	echo "fuzz $target: $(grep elapsed "$log" | tail -n 1 | sed "s/^fuzz: //")"
' sh TARGET
