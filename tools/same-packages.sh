#!/bin/sh
# same-packages.sh: builds the packages of a commit twice, and fails when one byte differs: once as anybody does, and once in another
# folder, from files of another hour, by somebody with other habits (umask, time zone, language, home). FRESH=1 has the second build
# compile everything anew, which takes some minutes more. The packages stay in bin/package.
set -eu
cd "$(dirname "$0")/.."
other=$(mktemp -d)
trap 'kill ${first:-} 2>/dev/null || true; chmod -R u+w "$other"; rm -rf "$other"' EXIT
fail() {
	echo "same-packages.sh: $1" >&2
	exit 1
}

SOURCE_DATE_EPOCH=1767225599 # the last second of a month, and of a year, which is not the same everywhere
export SOURCE_DATE_EPOCH
version=0.1.0+git$(git rev-parse --short=12 HEAD)
cache=$(go env GOCACHE)
modules=$(go env GOMODCACHE)
[ -z "${FRESH:-}" ] || cache=$other/cache
mkdir "$other/one" "$other/another one"
git archive HEAD | tar -x -C "$other/one"
git archive HEAD | tar -x -C "$other/another one"
find "$other/another one" -exec touch -d '2 hours ago' {} +
mkdir -m 700 "$other/home"
(cd "$other/one" && umask 022 && env TZ=UTC tools/package.sh "$version" >"$other/made") &
first=$!
(cd "$other/another one" && umask 077 &&
	env TZ=Asia/Kathmandu LC_ALL=C HOME="$other/home" GOCACHE="$cache" GOMODCACHE="$modules" GOFLAGS=-modcacherw tools/package.sh "$version" >"$other/again")
wait $first
for file in "$other"/one/bin/package/*; do
	cmp "$file" "$other/another one/bin/package/${file##*/}" || fail "two builds of one commit differ in ${file##*/}"
done
[ "$(ls "$other/one/bin/package" | wc -l)" = 4 ] || fail "these are not four packages: $(ls "$other/one/bin/package")"
rm -rf bin/package
mkdir -p bin
cp -r "$other/one/bin/package" bin/

# The unit's score, and the scripts; try-package.sh installs them.
dpkg-deb -x bin/package/*_"$(dpkg --print-architecture)".deb "$other/unpacked"
systemd-analyze security --offline=true --threshold=20 "$other/unpacked/usr/lib/systemd/system/rowhook.service" >"$other/score" || fail "the unit's exposure is 2.0 or more"
tail -n 1 "$other/score"
for script in packaging/scripts/*; do sh -n "$script"; done
cd bin/package
du -b -- *
sha256sum -- *
echo "built twice, the same bytes"
