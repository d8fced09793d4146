package main

import (
	"context"
	"os/exec"
	"slices"
	"strings"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
)

// sandbox is what the service's unit keeps from it of what a person who types `rowhook check` has.
type sandbox struct {
	ownTmp   bool     // it has a /tmp of its own
	writable []string // folders that it may write to; all, when this is nil
}

// unitOf asks systemd for the sandbox of the service as it is installed; nil where there is none.
func unitOf(ctx context.Context) *sandbox {
	shown, err := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState,PrivateTmp,ProtectSystem,ReadWritePaths,StateDirectory", "rowhook.service").Output()
	if err != nil {
		return nil // systemd does not run here
	}
	return parseSandbox(string(shown))
}

// parseSandbox reads what systemctl show says of the service.
func parseSandbox(shown string) *sandbox {
	has := map[string]string{}
	for line := range strings.Lines(shown) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		has[name] = value
	}
	if has["LoadState"] != "loaded" {
		return nil
	}
	s := &sandbox{ownTmp: has["PrivateTmp"] != "no"}
	if has["ProtectSystem"] == "strict" {
		s.writable = []string{}
		for dir := range strings.FieldsSeq(has["StateDirectory"]) {
			s.writable = append(s.writable, "/var/lib/"+dir)
		}
		for dir := range strings.FieldsSeq(has["ReadWritePaths"]) {
			s.writable = append(s.writable, strings.TrimLeft(dir, "-+"))
		}
	}
	return s
}

// checkSandbox names what the configuration has and the service cannot get at, though whoever checks can.
func checkSandbox(s *sandbox, c *config.Config, file string, set *rules.Set) (findings []cdc.Finding) {
	if s == nil || file != defaultConfig { // another configuration is not the service's
		return nil
	}
	const edit = "systemctl edit rowhook, write  [Service]  and below it  "
	hidden := func(what, path string) {
		findings = append(findings, cdc.Finding{Check: "service", Warn: true, Found: what + " " + path + " is hidden from the service, which has a /tmp of its own",
			Fix: edit + "PrivateTmp=no  ; then systemctl restart rowhook"})
	}
	if s.ownTmp {
		for _, address := range append([]string{c.Database.Address}, c.Outbox.MySQL.Addresses...) {
			if isBelow(address, "/tmp", "/var/tmp") {
				hidden("the server's socket", address)
			}
		}
		for _, path := range slices.Concat(c.Database.SecretFiles(), c.Outbox.MySQL.SecretFiles(), set.Secrets, set.Files) {
			if isBelow(path, "/tmp", "/var/tmp") {
				hidden("the file", path)
			}
		}
	}
	if s.writable != nil && !isBelow(c.StateDir, s.writable...) && (!s.ownTmp || !isBelow(c.StateDir, "/tmp", "/var/tmp")) {
		findings = append(findings, cdc.Finding{Check: "service", Warn: true, Found: "the service may not write to state_dir, " + c.StateDir,
			Fix: edit + "ReadWritePaths=" + c.StateDir + "  ; then systemctl restart rowhook"})
	}
	return findings
}

// isBelow says whether a path is one of these folders, or lies in one.
func isBelow(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool { return path == dir || strings.HasPrefix(path, strings.TrimRight(dir, "/")+"/") })
}
