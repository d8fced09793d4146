#!/bin/sh
# try-package.sh DEB: installs a package in a root of its own (mmdebstrap makes it, as root), upgrades it, removes and purges it,
# and looks at what is there each time.
set -eu

deb=$(realpath "$1")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() {
	echo "try-package.sh: $1" >&2
	exit 1
}

mmdebstrap --quiet --variant=essential --include=passwd,procps,systemd bookworm "$root"
# The unit, where its program is installed.
dpkg --root="$root" -i "$deb"
systemd-analyze verify --root="$root" rowhook.service
systemd-analyze security --offline=true --threshold=20 "$root/usr/lib/systemd/system/rowhook.service" >/dev/null || fail "the unit's exposure is 2.0 or more"
chroot "$root" getent passwd rowhook >/dev/null || fail "there is no user rowhook"
chroot "$root" rowhook version

# What a person and the daemon leave behind.
echo "edited" >"$root/etc/rowhook/config.yaml"
mkdir -p "$root/var/lib/rowhook"
echo "kept" >"$root/var/lib/rowhook/outbox.db"
kept() {
	[ "$(cat "$root/etc/rowhook/config.yaml" "$root/var/lib/rowhook/outbox.db" | tr '\n' ' ')" = "edited kept " ] || fail "$1 did not keep configuration and state"
}
dpkg --root="$root" -i "$deb"
kept "an upgrade"
dpkg --root="$root" -r rowhook
kept "a removal"
[ ! -e "$root/usr/bin/rowhook" ] || fail "a removal left the program"
dpkg --root="$root" -P rowhook
for path in /etc/rowhook /var/lib/rowhook; do
	[ ! -e "$root$path" ] || fail "a purge left $path"
done
! chroot "$root" getent passwd rowhook >/dev/null || fail "a purge left the user"
echo "installed, upgraded, removed, purged: as it must be"
