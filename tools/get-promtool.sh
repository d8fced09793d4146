#!/bin/sh
# get-promtool.sh: downloads Debian's package of Prometheus, once, and unpacks its promtool, which it names. Nothing is installed,
# and nothing starts. It goes to $ROWHOOK_PROMTOOL, by default ~/.cache/rowhook-promtool.
set -eu

to=${ROWHOOK_PROMTOOL:-${XDG_CACHE_HOME:-$HOME/.cache}/rowhook-promtool}
if ! command -v promtool 2>/dev/null; then
	if [ ! -x "$to/promtool" ]; then
		work=$(mktemp -d)
		trap 'rm -rf "$work"' EXIT
		cd "$work"
		{ apt-get -qq download prometheus || { apt-get -qq update && apt-get -qq download prometheus; }; } >&2
		dpkg-deb -x prometheus_*.deb .
		mkdir -p "$to"
		mv usr/bin/promtool "$to/promtool"
	fi
	echo "$to/promtool"
fi
