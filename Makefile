# What a developer does; everything is plain go underneath. `make demo` and `make test` are all a newcomer needs.

TESTFLAGS ?=

.PHONY: build package reproducible package-test demo browser alerts test lint conformance crash memory bench bench-cdc bench-console bench-relay fuzz servers matrix walk clean

build: # one static binary
	CGO_ENABLED=0 go build -trimpath -o bin/rowhook ./cmd/rowhook

package: # deb and rpm for amd64 and arm64 in bin/package, the same bytes whoever builds a commit
	tools/package.sh $(VERSION)

reproducible: # builds the packages of the commit twice, in other folders, hours, zones and habits, and fails when one byte differs
	@tools/need.sh packages
	tools/same-packages.sh

# Of schema 3 and 4 of the state; see version in outbox/sqlite/schema.go.
OLDER ?= 9ec8472 f3296da^

package-test: package # as root: installs, upgrades, removes and purges deb and rpm in a root of its own; goes back to older versions
	@tools/need.sh packages
	tools/try-package.sh bin/package/*_$$(dpkg --print-architecture).deb bin/package/*.$$(uname -m).rpm
	tools/try-downgrade.sh bin/package/*_$$(dpkg --print-architecture).deb $(OLDER)

walk: package # as root: the way of a new user from the package to the first webhook, in a root of its own, as the documents say
	@tools/need.sh packages
	tools/walk.sh bin/package/*_$$(dpkg --print-architecture).deb

demo: build # bookings in a real MariaDB, webhooks on the screen
	@tools/need.sh mariadb
	go build -o bin/demo ./demo
	@bin/demo -rowhook bin/rowhook

test: # unit and integration tests, against servers they start themselves
	@tools/need.sh mariadb cc receivers
	go vet ./...
	go vet -tags crash ./...
	go test -race -timeout 30m $(TESTFLAGS) ./...

browser: # the console's pages in a headless Chromium, for eyes, keyboard and axe-core; SHOTS=docs/console renews the pictures
	@tools/need.sh chromium
	go vet -tags browser ./console/web
	CONSOLE_SHOTS=$(abspath $(SHOTS)) go test -count=1 -tags browser -timeout 10m $(TESTFLAGS) -run 'TestBrowser|TestKeyboard|TestLive|TestWithoutScript' ./console/web

lint: # the version that tools/go.mod pins
	go tool -modfile=tools/go.mod golangci-lint run ./...

alerts: # the alert rules say what they should, and when, and docs/monitoring.md shows a configuration; with Prometheus' own tool
	@mkdir -p bin
	sed -n '/^    scrape_configs:/,/^$$/s/^    //p' docs/monitoring.md >bin/prometheus.yml
	promtool=$$(tools/get-promtool.sh) && $$promtool check rules packaging/alerts.yml && $$promtool test rules packaging/alerts_test.yml && $$promtool check config bin/prometheus.yml

conformance: # replay what the real plugin did, and compare what it sent: all records in or below ROWHOOK_PLUGIN_DIR, or testdata's
	@tools/need.sh mariadb
	go test -count=1 -timeout 10m $(TESTFLAGS) ./conformance

crash: # kills, power cuts, full disks, wrong clocks, and receivers that come and go; CRASH_FACTOR=20 for hours of it
	@tools/need.sh mariadb galera netns
	go vet -tags crash ./cmd/rowhook ./crash ./outbox/sqlite/...
	go test -count=1 -tags crash -timeout $$((35 * $${CRASH_FACTOR:-1}))m -v $(TESTFLAGS) -run Crash ./cmd/rowhook ./outbox/sqlite/... ./crash

memory: servers # resident memory of the daemon under transactions of a million rows, rows of 64 MB and of 15 MB, a backlog of BACKLOG_GB
	@tools/need.sh mariadb
	go vet -tags memory ./memory
	go test -count=1 -tags memory -timeout 40m $(TESTFLAGS) ./memory

BENCH ?= drain latency

bench: build # against a bare loop that keeps nothing, by turns: two minutes; BENCH="depth neighbours isolation many shaped shared processes sites" is the rest, half an hour more
	@tools/need.sh mariadb
	go build -o bin/bench ./bench
	@bin/bench -rowhook bin/rowhook $(BENCH)

bench-cdc: # what reading costs, as ratios to go-mysql; fails when a target is missed
	@tools/need.sh mariadb
	go build -o bin/follow ./bench/follow
	@bin/follow
	go test -count=1 -tags bench -v -run TestDecodeRatio ./cdc/rowcodec

bench-console: # each page over a million deliveries, while others are committed; fails when one takes more than 200 ms
	go test -count=1 -tags bench -v -timeout 10m -run TestMillion ./console/web

bench-relay: # what the relay makes a hook cost in a real WordPress, as a ratio to an INSERT, on every kind of server
	@tools/need.sh mariadb php
	tools/get-server.sh mysql97 mariadb118
	tools/get-wordpress.sh
	go test -count=1 -tags bench -v -run TestCost ./wordpress/relay

fuzz: # every fuzz target for a moment; .ci/run gives those of the reader longer
	tools/fuzz.sh 10s

servers: # downloads what the matrix runs against, once; see tools/get-server.sh
	tools/get-server.sh mysql97 mariadb118

matrix: servers # the reader's tests, the daemon's, and a backfill under kills, on every kind of server; and PHP itself on wp-config.php
	@tools/need.sh mariadb galera cc netns php
	tools/get-wordpress.sh
	go vet -tags matrix ./cdc ./cdc/rowcodec ./cdc/charset ./dbtest ./outbox/mysql ./pipeline ./wordpress/... ./cmd/rowhook
	go test -race -count=1 -tags matrix -timeout 30m $(TESTFLAGS) ./cdc ./cdc/rowcodec ./cdc/charset ./dbtest ./outbox/mysql ./pipeline ./wordpress/... ./cmd/rowhook
	go vet -tags 'crash matrix' ./cmd/rowhook
	go test -count=1 -tags 'crash matrix' -timeout 10m $(TESTFLAGS) -run TestBackfillMatrix ./cmd/rowhook

clean:
	rm -rf bin .cache
