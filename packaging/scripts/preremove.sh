#!/bin/sh
# Before the files go: the service ends, unless an upgrade puts others in their place. dpkg says "remove" or "upgrade", rpm how
# many versions stay.
set -e

case ${1:-} in
upgrade | failed-upgrade | 1) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
systemctl --no-reload disable --now rowhook.service || true # whatever is wrong with the service, the package can go
