#!/bin/sh
# After the files are gone. Removing keeps the configuration and the state, with what waits to be delivered; purging (deb) takes
# them away. rpm has no purge: rm -r /etc/rowhook /var/lib/rowhook.
set -e

case ${1:-} in
remove | purge | 0) rm -rf /usr/lib/systemd/system/rowhook.service.d ;; # postinstall.sh made it
esac
if [ "${1:-}" = purge ]; then
	rm -rf /etc/rowhook /var/lib/rowhook
	if getent passwd rowhook >/dev/null; then
		userdel rowhook || true
	fi
fi
[ ! -d /run/systemd/system ] || systemctl daemon-reload || true
