#!/bin/sh
# After the files are there: the service's user, whose group may read the configuration; and an upgrade starts the new program.
# dpkg says "configure" with the old version, if there was one, as $2; rpm the number of installed versions.
set -e

if ! getent passwd rowhook >/dev/null; then
	systemd-sysusers rowhook.conf 2>/dev/null ||
		useradd --system --user-group --home-dir /var/lib/rowhook --no-create-home --shell /usr/sbin/nologin rowhook
fi
chgrp rowhook /etc/rowhook /etc/rowhook/rules.d

# An older systemd has to be told otherwise where the secrets are.
beside=/usr/lib/systemd/system/rowhook.service.d
version=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${version:-251}" -lt 251 ]; then
	mkdir -p $beside
	cp /usr/share/rowhook/older-systemd.conf $beside/older-systemd.conf
else
	rm -f $beside/older-systemd.conf
fi

[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || true
# Only where it runs: a new install has no configuration yet. A service that does not start is no reason to leave the package half
# configured, and every later one with it.
systemctl try-restart rowhook.service ||
	echo "rowhook is installed, but its service did not start again: journalctl -u rowhook -n 20 says why" >&2
