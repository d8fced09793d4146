#!/bin/sh
# After the files are there: the service's user, whose group may read the configuration; and an upgrade starts the new program.
# dpkg says "configure" with the old version, if there was one, as $2; rpm the number of installed versions.
set -e

if ! getent passwd rowhook >/dev/null; then
	systemd-sysusers rowhook.conf 2>/dev/null ||
		useradd --system --user-group --home-dir /var/lib/rowhook --no-create-home --shell /usr/sbin/nologin rowhook
fi
chgrp rowhook /etc/rowhook /etc/rowhook/rules.d

[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
# Only where it runs: a new install has no configuration yet.
systemctl try-restart rowhook.service
