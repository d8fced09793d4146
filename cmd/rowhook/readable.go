package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"rowhook/cdc"
	"rowhook/config"
)

// checkReadable names the files that root can read and the daemon cannot, which then does not start.
func checkReadable(c *config.Config, files []string) (findings []cdc.Finding) {
	uid := daemonUser(c)
	if os.Geteuid() != 0 || uid == 0 {
		return nil
	}
	gid, groups := groupsOf(uid)
	slices.Sort(files)
	for _, path := range slices.Compact(files) {
		closed := closedTo(path, uid, append(groups, gid))
		fix := fmt.Sprintf("chown %s %s", userName(uid), path)
		switch {
		case closed == "":
			continue
		case closed != path:
			fix = "chmod o+x " + closed
		}
		findings = append(findings, cdc.Finding{Check: "file " + path, OK: true, Warn: true, Found: "rowhook runs as " + userName(uid) + ", who may not read it", Fix: fix})
	}
	return findings
}

// closedTo is the file, or the folder above it, whose mode keeps a user from reading a file; empty when nothing does.
func closedTo(path string, uid int, groups []int) string {
	need := fs.FileMode(0o4)
	for at := path; ; at, need = filepath.Dir(at), 0o1 {
		info, err := os.Stat(at)
		if err != nil {
			return "" // that is another fault
		}
		mode := info.Mode().Perm()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			switch {
			case int(st.Uid) == uid:
				mode >>= 6
			case slices.Contains(groups, int(st.Gid)):
				mode >>= 3
			}
		}
		switch {
		case mode&need == 0:
			return at
		case at == filepath.Dir(at):
			return ""
		}
	}
}
