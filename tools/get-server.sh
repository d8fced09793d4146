#!/bin/bash
# get-server.sh NAME...: downloads database servers for the matrix tests from Debian, once, and unpacks them where
# dbtest looks for them. Nothing is installed: no package, no apt source and no service of this machine is touched.
#   mysql97      MySQL 9.7, from Debian sid
#   mariadb118   MariaDB 11.8, from Debian trixie
#   galera       what makes a cluster of this machine's own MariaDB 10.11: a library and scripts, from Debian bookworm
# They go to $ROWHOOK_SERVERS/NAME, by default ~/.cache/rowhook-servers/NAME. ROWHOOK_SKIP_SERVERS="mysql97" leaves a
# server out, and its tests too: sid is a moving target.
#
# How: an apt with a root of its own and an empty list of installed packages downloads a server with all its libraries,
# its C library too; dpkg-deb unpacks them; dbtest starts the server through its own loader.
set -euo pipefail

servers=${ROWHOOK_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/rowhook-servers}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "get-server.sh: $1: $2; to do without it set ROWHOOK_SKIP_SERVERS=$1" >&2
	exit 1
}

# download DIR SUITE PACKAGE...: unpacks packages of a suite, and all that they need, to DIR/unpacked. Of a package with
# "alone:" in front its own files are enough.
download() {
	local dir=$1 suite=$2 mirror package whole=() alone=()
	shift 2
	for package in "$@"; do
		case $package in
		alone:*) alone+=("${package#alone:}") ;;
		*) whole+=("$package") ;;
		esac
	done
	mkdir -p "$dir"/apt/{etc/apt/preferences.d,var/lib/apt/lists/partial,var/cache/apt/archives/partial,var/lib/dpkg} "$dir/unpacked"
	: >"$dir/apt/var/lib/dpkg/status"
	# The mirror that this machine itself uses.
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1)
	echo "deb [signed-by=$keyring] $mirror $suite main" >"$dir/apt/etc/apt/sources.list"
	cat >"$dir/apt/apt.conf" <<-CONF
		Dir "$dir/apt";
		Dir::State::status "$dir/apt/var/lib/dpkg/status";
		Dir::Etc::parts "/etc/apt/apt.conf.d";
		Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
		APT::Install-Recommends "false";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
	CONF
	APT_CONFIG="$dir/apt/apt.conf" apt-get -qq --error-on=any update || return
	if [ ${#whole[@]} -gt 0 ]; then
		APT_CONFIG="$dir/apt/apt.conf" apt-get -qq install -y --download-only "${whole[@]}" >/dev/null || return
	fi
	for package in "${alone[@]}"; do
		(cd "$dir/apt/var/cache/apt/archives" && APT_CONFIG="$dir/apt/apt.conf" apt-get -qq download "$package") || return
	done
	for package in "$dir"/apt/var/cache/apt/archives/*.deb; do
		dpkg-deb -x "$package" "$dir/unpacked" || return
	done
	rm -rf "$dir/apt" "$dir"/unpacked/usr/share/{doc,man,locale,perl,icu} "$dir"/unpacked/usr/lib/*/perl*
}

# get NAME FILE SUITE PACKAGE...: makes sure that a server is there, whole: the file of it that comes last.
get() {
	local name=$1 file=$2 new
	shift 2
	if [ -e "$servers/$name/unpacked/$file" ]; then
		return
	fi
	echo "get-server.sh: downloading $name"
	new=$(mktemp -d "$servers/new-$name-XXXXXX")
	if ! download "$new" "$@"; then
		rm -rf "$new"
		fail "$name" "the download FAILED"
	fi
	if [ ! -e "$new/unpacked/$file" ]; then
		rm -rf "$new"
		fail "$name" "the packages of Debian $1 hold no $file"
	fi
	if [ -e "$servers/$name" ]; then # an older one, with less
		mv "$servers/$name" "$new/old"
	fi
	mkdir "$servers/$name"
	mv "$new/unpacked" "$servers/$name/unpacked"
	rm -rf "$new"
}

mkdir -p "$servers"
exec 9>"$servers/lock"
flock 9 # another test run may want the same
for name in "$@"; do
	case " ${ROWHOOK_SKIP_SERVERS:-} " in
	*[\ ,]"$name"[\ ,]*)
		echo "get-server.sh: WITHOUT $name, as ROWHOOK_SKIP_SERVERS says"
		continue
		;;
	esac
	for program in apt-get dpkg-deb; do
		command -v "$program" >/dev/null || fail "$name" "there is no $program on this machine, which must be a Debian"
	done
	[ -e "$keyring" ] || fail "$name" "there is no $keyring, which must be Debian's"
	case $name in
	mysql97) get "$name" usr/sbin/mysqld sid mysql-server-core ;;
	# Of the plugins the one for ed25519 logins is wanted.
	mariadb118) get "$name" usr/lib/mysql/plugin/auth_ed25519.so trixie mariadb-server-core alone:mariadb-server ;;
	# Of the server only what copies a node's data to another one.
	galera) get "$name" usr/bin/wsrep_sst_rsync bookworm alone:galera-4 alone:mariadb-server ;;
	*) fail "$name" "no such server" ;;
	esac
done
