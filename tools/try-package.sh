#!/bin/sh
# try-package.sh DEB RPM: installs a package in a root of its own (mmdebstrap makes it, as root), upgrades it, removes and purges it,
# and looks at what is there each time; then the same with the rpm.
set -eu

deb=$(realpath "$1")
rpm=$(realpath "$2")
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

# A page for each command, and completion that finds the program's words.
pages=$(cd "$root/usr/share/man/man8" && gunzip -c rowhook*.8.gz)
for page in rowhook-run rowhook-deliveries-retry rowhook-sites-resume; do
	printf '%s' "$pages" | grep -q "^$page - " || fail "there is no man page $page"
done
for file in bash-completion/completions/rowhook zsh/vendor-completions/_rowhook fish/vendor_completions.d/rowhook.fish; do
	grep -q __complete "$root/usr/share/$file" || fail "$file completes nothing"
done
completed=$(PATH="$root/usr/bin:$PATH" bash -c '. "$0"
	_get_comp_words_by_ref() { words=(rowhook deliveries re); cur=re; cword=2; prev=deliveries; }
	COMP_TYPE=9 COMP_WORDS=(rowhook deliveries re) COMP_CWORD=2 COMP_LINE="rowhook deliveries re" COMP_POINT=21
	__start_rowhook; echo "${COMPREPLY[@]}"' "$root/usr/share/bash-completion/completions/rowhook" 2>/dev/null) # compopt wants a shell that completes
[ "$(echo $completed)" = retry ] || fail "bash completes rowhook deliveries re with \"$completed\""

# What a person and the daemon leave behind.
leave() {
	echo "edited" >"$root/etc/rowhook/config.yaml"
	mkdir -p "$root/var/lib/rowhook"
	echo "kept" >"$root/var/lib/rowhook/outbox.db"
}
leave
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

# The rpm, in the same root. What it depends on is Debian's there.
rpm --root="$root" --nodeps -i "$rpm"
rpm --root="$root" -V --nodeps --nogroup rowhook || fail "the rpm's files are not as it says"
chroot "$root" getent passwd rowhook >/dev/null || fail "the rpm made no user"
[ "$(stat -c %A "$root/etc/rowhook/credentials")" = drwx------ ] || fail "others may look at the credentials"
chroot "$root" su rowhook -s /bin/sh -c 'test -x /etc/rowhook/rules.d' || fail "the service may not read its rules"
systemd-analyze verify --root="$root" rowhook.service
leave
rpm --root="$root" --nodeps -U --force "$rpm"
kept "an upgrade of the rpm"
rpm --root="$root" -e rowhook
kept "a removal of the rpm"
[ ! -e "$root/usr/bin/rowhook" ] || fail "a removal of the rpm left the program"
echo "installed, upgraded, removed, purged: as it must be"
