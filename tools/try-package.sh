#!/bin/sh
# try-package.sh DEB RPM: installs a package in a root of its own (mmdebstrap makes it, as root), upgrades it, removes and purges it,
# and looks at what is there each time; then the same with the rpm.
set -eu

deb=$(realpath "$1")
rpm=$(realpath "$2")
root=$(mktemp -d)
older=$(mktemp -d)
trap 'rm -rf "$root" "$older"' EXIT
fail() {
	echo "try-package.sh: $1" >&2
	exit 1
}

mmdebstrap --quiet --variant=essential --include=passwd,procps,systemd bookworm "$root"
# The unit, where its program is installed.
dpkg --root="$root" -i "$deb"
[ ! -e "$root/usr/lib/systemd/system/rowhook.service.d" ] || fail "this systemd needs nothing beside the unit"
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
# Under a systemd whose service does not start any more, as after a wrong edit: the package is there nevertheless.
mkdir -p "$root/run/systemd/system"
printf '#!/bin/sh\ncase $1 in --version) echo "systemd 252" ;; *) exit 1 ;; esac\n' >"$root/usr/local/bin/systemctl"
chmod 755 "$root/usr/local/bin/systemctl"
dpkg --root="$root" -i "$deb" 2>&1 | grep 'journalctl -u rowhook' || fail "an upgrade does not say that the service did not start"
[ "$(dpkg-query --root="$root" -W -f '${db:Status-Status}' rowhook)" = installed ] || fail "an upgrade whose service does not start left the package half configured"
rm -r "$root/usr/local/bin/systemctl" "$root/run/systemd"
kept "an upgrade"
dpkg --root="$root" -r rowhook
kept "a removal"
[ ! -e "$root/usr/bin/rowhook" ] || fail "a removal left the program"
dpkg --root="$root" -P rowhook
for path in /etc/rowhook /var/lib/rowhook; do
	[ ! -e "$root$path" ] || fail "a purge left $path"
done
! chroot "$root" getent passwd rowhook >/dev/null || fail "a purge left the user"

# Debian 11, whose systemd hands over no folder of secrets: root copies them for the service.
mmdebstrap --quiet --variant=essential --include=passwd,procps,systemd bullseye "$older"
dpkg --root="$older" -i "$deb"
beside=$older/usr/lib/systemd/system/rowhook.service.d/older-systemd.conf
[ -e "$beside" ] || fail "an older systemd is not told where the secrets are"
said=$(unshare --mount sh -c 'mount --rbind /proc "$0/proc"; mount --rbind /sys "$0/sys"; chroot "$0" systemd-analyze verify rowhook.service' "$older" 2>&1) || fail "an older systemd does not take the unit: $said"
case $said in *rowhook*) fail "an older systemd does not take all of the unit: $said" ;; esac
echo geheim >"$older/etc/rowhook/credentials/database"
chmod 600 "$older/etc/rowhook/credentials/database"
chroot "$older" install -d -m 0700 -o rowhook -g rowhook /run/rowhook # RuntimeDirectory=
sed -n "s/^ExecStartPre=+.bin.sh -c '\(.*\)'$/\1/p" "$beside" | sed 's/\$\$/$/g' | chroot "$older" sh
printf 'database: {address: 127.0.0.1, user: u, password: "${credential:database}"}\n' >"$older/etc/rowhook/config.yaml"
chroot "$older" su rowhook -s /bin/sh -c 'CREDENTIALS_DIRECTORY=/run/rowhook rowhook rules validate' 2>&1 | grep -q 'sites: ' || fail "the service does not find its secrets there"
dpkg --root="$older" -P rowhook
[ ! -e "$beside" ] || fail "a purge left what an older systemd is told"

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
