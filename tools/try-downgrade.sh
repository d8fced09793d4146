#!/bin/sh
# try-downgrade.sh DEB COMMIT...: makes packages of older commits, with this tree's packaging, and goes there and back in a root of
# its own (mmdebstrap makes it, as root): an upgrade takes the state along; a program that is older than the state refuses it, says
# why, and changes nothing; the copy that was made before the upgrade goes on.
set -eu

deb=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
work=$(mktemp -d)
root=$work/machine
trap 'rm -rf "$work"' EXIT
fail() {
	echo "try-downgrade.sh: $1" >&2
	exit 1
}

# older COMMIT: a package of its program in $work/older.deb
older() {
	rm -rf "$work/tree" "$work/pkg" "$work/older.deb"
	mkdir "$work/tree" "$work/pkg"
	git archive "$1" | tar -x -C "$work/tree"
	(cd "$work/tree" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$work/pkg/rowhook" ./cmd/rowhook)
	sed -e '/bin\/package\/\(man\|completion\)/d' -e "s,bin/package/rowhook,$work/pkg/rowhook," packaging/nfpm.yaml >"$work/pkg/nfpm.yaml"
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$1") VERSION=0.0.1 ARCH=$(dpkg --print-architecture) \
		go tool -modfile=tools/nfpm.mod nfpm package --config "$work/pkg/nfpm.yaml" --packager deb --target "$work/older.deb"
}

# runs: starts the program as the unit does, for a moment; the database is away, and its state is opened before that is known.
runs() {
	status=0
	chroot --userspec=rowhook:rowhook "$root" timeout 5 /usr/bin/rowhook run >"$work/log" 2>&1 || status=$?
	[ $status -eq 124 ] || [ $status -eq 0 ]
}
schema() {
	sqlite3 "$1" "SELECT value FROM meta WHERE key = 'schema'"
}

mmdebstrap --quiet --variant=essential --include=passwd,procps bookworm "$root"
state=$root/var/lib/rowhook/outbox.db
for commit in "$@"; do
	older "$commit"
	dpkg --root="$root" -i "$work/older.deb" >/dev/null
	cat >"$root/etc/rowhook/config.yaml" <<-CONFIG
		database: {address: "127.0.0.1:1", user: rowhook, password: x}
		sites: [{name: salon, schema: wordpress, prefix: wp_}]
		rules: rules.d/*.yaml
		state_dir: /var/lib/rowhook
	CONFIG
	echo 'rules: [{name: x, action: coupon.save, url: "http://127.0.0.1:1/"}]' >"$root/etc/rowhook/rules.d/x.yaml"
	install -d -o "$(stat -c %u "$root/etc/rowhook")" -m 0700 "$root/var/lib/rowhook"
	chroot "$root" chown rowhook: /var/lib/rowhook
	runs || fail "$commit does not run: $(cat "$work/log")"
	was=$(schema "$state")
	cp -a "$root/var/lib/rowhook" "$work/before"

	dpkg --root="$root" -i "$deb" >/dev/null
	runs || fail "this version does not take the state of $commit: $(cat "$work/log")"
	is=$(schema "$state")
	[ "$is" -gt "$was" ] || fail "the state of $commit is as new as this version's; name an older commit"

	dpkg --root="$root" -i "$work/older.deb" >/dev/null 2>&1
	sum=$(sha256sum "$state")
	! runs || fail "$commit runs with a state that it does not know"
	grep -q "written by a newer rowhook (schema $is, this one knows $was)" "$work/log" || fail "$commit does not say why: $(cat "$work/log")"
	[ "$sum" = "$(sha256sum "$state")" ] || fail "$commit changed a state that it does not know"
	echo "state $was of $commit to $is and back: $(tail -n 1 "$work/log")"

	rm -r "$root/var/lib/rowhook"
	cp -a "$work/before" "$root/var/lib/rowhook"
	runs || fail "$commit does not go on with the copy: $(cat "$work/log")"
	dpkg --root="$root" -P rowhook >/dev/null
	rm -r "$work/before"
done
echo "upgraded, downgraded and put back: as it must be"
