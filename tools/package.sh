#!/bin/sh
# package.sh [VERSION]: builds the deb and rpm packages for amd64 and arm64 into bin/package. Of one commit they are always the
# same bytes: times are those of the commit.
set -eu
cd "$(dirname "$0")/.."

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
VERSION=${1:-0.1.0+git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$(git rev-parse --short=12 HEAD)}
MTIME=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
export SOURCE_DATE_EPOCH VERSION MTIME ARCH

rm -rf bin/package
mkdir -p bin/package
nfpm=$(go tool -n -modfile=tools/nfpm.mod nfpm)
for ARCH in amd64 arm64; do
	CGO_ENABLED=0 GOARCH=$ARCH go build -trimpath -ldflags "-s -w" -o "bin/package/rowhook-$ARCH" ./cmd/rowhook
	for packager in deb rpm; do
		"$nfpm" package --config packaging/nfpm.yaml --packager "$packager" --target bin/package/
	done
done
(cd bin/package && sha256sum -- *.deb *.rpm)
