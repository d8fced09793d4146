#!/bin/sh
# get-wordpress.sh: downloads Debian's package of WordPress, once, and unpacks it where the tests look for it. Nothing is
# installed. It goes to $ROWHOOK_WORDPRESS, by default ~/.cache/rowhook-wordpress.
set -eu

to=${ROWHOOK_WORDPRESS:-${XDG_CACHE_HOME:-$HOME/.cache}/rowhook-wordpress}
[ ! -e "$to/usr/share/wordpress/wp-config.php" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download wordpress || { apt-get -qq update && apt-get -qq download wordpress; }
mkdir -p "$to"
dpkg-deb -x wordpress_*.deb "$to"
