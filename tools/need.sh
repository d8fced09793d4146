#!/bin/sh
# need.sh WHAT...: makes sure that programs from outside are here. As root on Debian or Ubuntu it installs what is
# missing; otherwise it says what that is.
#   mariadb   the server and its client, which demo and tests start in directories of their own
#   cc        a C compiler, for the race detector
#   php       its command line with mysqli, which tells what a wp-config.php says, and runs WordPress
#   receivers what the receivers in docs/receivers.md are written for: PHP, Node, Python
#   chromium  a browser, for the tests of the console
#   galera    what makes a cluster of that server: a library, and what copies data from node to node
#   netns     ip, for network namespaces
#   packages  what tries the packages: mmdebstrap, rpm, systemd-analyze, sqlite3
# Only MariaDB's programs are installed (the -core packages): no service, nothing that starts by itself.
set -eu

PATH=$PATH:/usr/sbin:/usr/local/sbin
packages=
missing=

# want PROGRAM PACKAGE...
want() {
	program=$1
	shift
	command -v "$program" >/dev/null 2>&1 && return
	missing="$missing $program"
	packages="$packages $*"
}

for what in "$@"; do
	case $what in
	mariadb)
		want mariadbd mariadb-server-core
		want mariadb-install-db mariadb-server-core
		want my_print_defaults mariadb-client-core
		want mariadb mariadb-client-core
		;;
	cc)
		[ -n "${CC:-}" ] || want gcc gcc libc6-dev
		;;
	php)
		want php php-cli
		if ! php -m 2>/dev/null | grep -qx mysqli; then
			missing="$missing php-mysqli"
			packages="$packages php-mysql"
		fi
		;;
	receivers)
		want php php-cli
		want node nodejs
		want python3 python3
		;;
	chromium)
		command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || want chromium chromium fonts-dejavu-core
		;;
	packages)
		want mmdebstrap mmdebstrap
		want rpm rpm
		want systemd-analyze systemd
		want sqlite3 sqlite3
		;;
	galera)
		want rsync rsync
		"$(dirname "$0")/get-server.sh" galera # of packages that would start a server by themselves, so they are not installed
		;;
	netns)
		want ip iproute2
		;;
	*)
		echo "need.sh: what is $what?" >&2
		exit 2
		;;
	esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "missing:$missing. Install MariaDB's server and client (10.11 is tested) and a C compiler with your system's package manager." >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "missing:$missing. Install them, as root:  apt-get install --no-install-recommends$packages" >&2
	exit 1
fi
echo "installing$packages (for$missing)"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086 # it is a list
apt-get -qq install -y --no-install-recommends $packages
