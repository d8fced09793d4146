#!/bin/sh
# package.sh [VERSION]: builds the deb and rpm packages for amd64 and arm64 into bin/package. Of one commit they are always the
# same bytes: times are those of the commit.
set -eu
cd "$(dirname "$0")/.."

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
VERSION=${1:-0.1.0+git$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$(git rev-parse --short=12 HEAD)}
export SOURCE_DATE_EPOCH VERSION ARCH

rm -rf bin/package
mkdir -p bin/package/completion
go build -trimpath -buildvcs=false -o bin/package/here ./cmd/rowhook # for this machine: it writes its own pages
bin/package/here man bin/package/man
gzip -9n bin/package/man/*
for shell in bash zsh fish; do
	bin/package/here completion $shell >bin/package/completion/$shell
done
for ARCH in amd64 arm64; do
	CGO_ENABLED=0 GOARCH=$ARCH go build -trimpath -buildvcs=false -ldflags "-s -w -X main.stamped=$VERSION" -o bin/package/rowhook ./cmd/rowhook
	for packager in deb rpm; do
		go tool -modfile=tools/nfpm.mod nfpm package --config packaging/nfpm.yaml --packager "$packager" --target bin/package/
	done
done
rm -r bin/package/rowhook bin/package/here bin/package/man bin/package/completion
(cd bin/package && sha256sum -- *.deb *.rpm)
