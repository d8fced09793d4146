#!/bin/sh
# walk.sh DEB: the way of a new user, in a root of its own (mmdebstrap makes it, as root): a machine with Debian's WordPress, the
# plugin's tables, and a MariaDB with default settings. It types what docs/quickstart.md says, and what rowhook itself says, up to
# the first webhook; then what docs/operations.md says. At the end it shows how long each step took. Where systemd does not run,
# systemctl is one of ours that does what the unit says.
set -eu

deb=$(realpath "$1")
cd "$(dirname "$0")/.."
tree=$PWD
root=$(mktemp -d)
home=$root/srv/walk # of the person who types, there
chmod 755 "$root"
table=$(mktemp)
fail() {
	echo "walk.sh: $1" >&2
	exit 1
}
end() {
	chroot "$root" systemctl stop rowhook >/dev/null 2>&1 || true
	chroot "$root" systemctl stop mariadb >/dev/null 2>&1 || true
	[ -z "${receiver:-}" ] || kill "$receiver" 2>/dev/null || true
	umount "$root/proc" 2>/dev/null || true
	rm -rf --one-file-system "$root" "$table"
}
trap end EXIT

# in_root COMMAND...: as root, in the root, in the folder that the package was put into.
in_root() {
	chroot "$root" env -C /srv/walk HOME=/srv/walk LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
# step NAME COMMAND...: does it, and notes how long it took.
step() {
	name=$1
	shift
	echo "== $name: $*"
	began=$(date +%s%N)
	"$@"
	took=$((($(date +%s%N) - began) / 10000000))
	printf '| %s | %d.%02d s |\n' "$name" $((took / 100)) $((took % 100)) >>"$table"
}
# typed FILE HEADING: the commands below a heading of a page.
typed() {
	sed -n "/^##* .*$2\$/,/^##* /p" "$tree/docs/$1" | sed -n 's/^    \([a-z(]\)/\1/p' | sed 's/  *#.*//'
}
types() {
	typed "$1" "$2" | grep -E "${3:-.}" >"$home/typed" || fail "$1 has nothing to type below $2"
	sed 's/^/    /' "$home/typed"
	in_root sh -eu /srv/walk/typed
}
sql() { in_root mariadb -N "$@"; }

echo "== the machine: Debian with MariaDB and WordPress, as their packages leave them"
mmdebstrap --quiet --variant=apt --include=mariadb-server,wordpress,php-cli,php-mysql,procps,ca-certificates bookworm "$root"
mount -t proc proc "$root/proc"
mkdir -p "$home"
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/90yes" # what the person answers
cat >"$root/usr/local/bin/systemctl" <<'SYSTEMCTL'
#!/bin/sh
# In place of systemd: what the units say, as their users.
set -eu
for unit; do :; done # the last word
run=/run/$unit.pid
running() { [ -e $run ] && grep -q '^State:.[^Z]' "/proc/$(cat $run)/status" 2>/dev/null; } # a zombie has ended
start() {
	running && return
	case $unit in
	mariadb)
		install -d -o mysql -g mysql /run/mysqld
		setsid mariadbd --user=mysql >/var/log/mariadb.log 2>&1 &
		echo $! >$run
		until mariadb-admin --silent ping >/dev/null 2>&1; do sleep 0.1; done
		;;
	rowhook)
		install -d -o rowhook -g rowhook -m 0700 /var/lib/rowhook
		rm -rf /run/credentials
		install -d -o rowhook -m 0500 /run/credentials
		for secret in /etc/rowhook/credentials/*; do
			install -o rowhook -m 0400 "$secret" "/run/credentials/rowhook_${secret##*/}"
		done
		umask 077
		setsid setpriv --reuid=rowhook --regid=rowhook --clear-groups --no-new-privs \
			env -i PATH=/usr/bin:/bin CREDENTIALS_DIRECTORY=/run/credentials STATE_DIRECTORY=/var/lib/rowhook /usr/bin/rowhook run >/var/log/rowhook.log 2>&1 &
		echo $! >$run
		until grep -q 'following the binlog' /var/log/rowhook.log; do # what systemctl status shows
			running || { cat /var/log/rowhook.log; exit 1; }
			sleep 0.1
		done
		;;
	esac
}
stop() {
	running || return 0
	kill "$(cat $run)"
	while running; do sleep 0.05; done
}
case $1 in
start | enable) start ;;
stop | disable) stop ;;
restart) stop; start ;;
reload) kill -HUP "$(cat $run)" ;;
status) running && echo "$unit is running" ;;
esac
SYSTEMCTL
chmod 755 "$root/usr/local/bin/systemctl"
in_root systemctl start mariadb
sql -e "CREATE DATABASE wordpress; CREATE USER wordpress@localhost IDENTIFIED BY 'secret'; GRANT ALL PRIVILEGES ON wordpress.* TO wordpress@localhost"
# As /usr/share/doc/wordpress/README.Debian says: a file for each host name, and WordPress below the web server's folder.
cat >"$root/etc/wordpress/config-salon.example.com.php" <<'PHP'
<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'secret');
define('DB_HOST', 'localhost');
PHP
mkdir -p "$root/var/www"
rm -rf "$root/var/www/html"
ln -s /usr/share/wordpress "$root/var/www/html"
cat >"$home/install.php" <<'PHP'
<?php
$_SERVER['HTTP_HOST'] = 'salon.example.com';
define('WP_INSTALLING', true);
function wp_new_blog_notification() {}
require '/var/www/html/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Salon', 'admin', 'admin@example.com', true, '', 'secret');
PHP
in_root php /srv/walk/install.php
# The plugin's tables, without those that WordPress has by now.
sed 's/{prefix}/wp_/g' dbtest/salon.sql dbtest/sample.sql | awk 'BEGIN { RS = ";\n"; ORS = ";\n" } /`?wp_vikappointments_/' >"$home/salon.sql"
sql wordpress <"$home/salon.sql"
cat >"$home/receiver.php" <<'PHP'
<?php file_put_contents('/srv/walk/got', $_SERVER['HTTP_X_VAP_WEBHOOK_ACTION'] . ' ' . file_get_contents('php://input') . "\n", FILE_APPEND);
PHP
chroot "$root" env -C /srv/walk php -S 127.0.0.1:8085 /srv/walk/receiver.php >"$home/receiver.log" 2>&1 &
receiver=$!
cp "$deb" "$home/"

echo "== the walk"
walk=$(date +%s%N)
step "install the package" types quickstart.md "1. Install"
echo "    (Debian's WordPress has a file for each host name, so init asks which one)"
! in_root rowhook init --wordpress /var/www/html --apply 2>"$home/said" || fail "init did not ask for the host name"
cat "$home/said"
grep -q 'rowhook init --wordpress /var/www/html --value HTTP_HOST=...' "$home/said" || fail "init does not say what to type"
step "rowhook init" in_root sh -c 'rowhook init --wordpress /var/www/html --value HTTP_HOST=salon.example.com --apply | tee /srv/walk/said'
lines=$(sed -n 's/^The server.s log: put these lines into //p' "$home/said")
sed -n '/^    \[mysqld\]/,/^and restart/p' "$home/said" | sed -n 's/^    //p' >"$root$lines"
step "the lines for the server, and its restart" in_root systemctl restart mariadb
cat >"$root/etc/rowhook/rules.d/crm.yaml" <<'YAML'
rules:
  - name: crm-bookings
    action: appointment.save
    load: full
    url: http://127.0.0.1:8085/hooks/vik
YAML
step "check and start" types quickstart.md "4. Check and start" '^rowhook check|^systemctl'
book() {
	sql wordpress -e "SET sql_mode = ''; INSERT INTO wp_vikappointments_reservation (id_employee, id_service, checkin_ts, people, duration, total_cost, purchaser_nominative, purchaser_mail, status, locked_until)
		VALUES (1, 1, '2030-01-07 10:00:00', 1, 45, 38, '$1', 'greta@example.test', 'W', 0); UPDATE wp_vikappointments_reservation SET id_parent = LAST_INSERT_ID() WHERE id = LAST_INSERT_ID()"
	n=0
	until grep -q "$1" "$home/got" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 600 ] || fail "the webhook of $1 did not arrive: $(tail -n 20 "$root/var/log/rowhook.log" "$home/receiver.log")"
		sleep 0.1
	done
}
step "a booking, and its webhook" book Greta
took=$((($(date +%s%N) - walk) / 10000000))
printf '| all of it | %d.%02d s |\n' $((took / 100)) $((took % 100)) >>"$table"
n=0
until in_root rowhook deliveries list | grep delivered; do # what is delivered is recorded a moment after the receiver has it
	n=$((n + 1))
	[ $n -lt 50 ] || fail "deliveries list does not show it"
	sleep 0.1
done

echo "== operations"
printf 'rules: []\n' >"$root/etc/rowhook/rules.d/mine.yaml"
step "a rule file of one's own" types operations.md Install '^ch'
dpkg-deb -R "$deb" "$home/newer" # the same, as a later version
sed -i 's/^Version: .*/Version: 99.0/' "$home/newer/DEBIAN/control"
mv "$home/${deb##*/}" "$home/older.deb"
dpkg-deb --root-owner-group -Zgzip -b "$home/newer" "$home/$(basename "$deb" | sed 's/_.*_/_99.0_/')" >/dev/null
step "upgrade" types operations.md Upgrade
step "booked after the upgrade" book Hanna
mv "$home/older.deb" "$home/rowhook_OLD_amd64.deb"
step "downgrade, with the copy" types operations.md Downgrade "^(systemctl|apt|mv|cp) "
[ "$(grep -c Hanna "$home/got")" -ge 1 ] || fail "nothing arrives after the downgrade"
step "backup" types operations.md Backup
step "restore" types operations.md Restore
step "booked after the restore" book Irma
step "another password" types operations.md "Change the password"
step "booked after that" book Jana
step "personal data" types operations.md "Personal data"
in_root systemctl stop rowhook # the package does where systemd runs
step "remove" types operations.md Remove
[ ! -e "$root/var/lib/rowhook" ] || fail "the state is still there"

echo "== how long each step took, here"
cat "$table"
