package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/rules"
	"rowhook/setup"
)

// checkFiles names the files with secrets that everybody on this machine may read, the files that everybody may change, and those
// that the daemon may not read.
func checkFiles(c *config.Config, file string, set *rules.Set) (findings []cdc.Finding) {
	const mayRead, mayWrite fs.FileMode = 0o004, 0o002
	secrets := slices.Concat(c.Database.SecretFiles(), c.Outbox.MySQL.SecretFiles(), set.Secrets)
	writable := config.Exposed(slices.Concat(secrets, set.Files, []string{file}), mayWrite)
	for _, path := range writable {
		findings = append(findings, exposed(c, path, "everybody on this machine may change it, and so where bookings are sent"))
	}
	for _, path := range config.Exposed(secrets, mayRead) {
		if !slices.Contains(writable, path) {
			findings = append(findings, exposed(c, path, "holds secrets, and everybody on this machine may read it"))
		}
	}
	findings = append(findings, checkReadable(c, slices.Concat(set.Files, []string{file}, ofService(secrets, file)))...)
	if findings == nil {
		findings = []cdc.Finding{{Check: "files", OK: true, Found: "secrets are readable only by those whom their files belong to"}}
	}
	return findings
}

// ofService are the files that the service reads by itself: not those of the folder credentials beside the configuration, which
// systemd reads for it.
func ofService(secrets []string, config string) []string {
	credentials := filepath.Join(filepath.Dir(config), "credentials")
	return slices.DeleteFunc(slices.Clone(secrets), func(path string) bool { return filepath.Dir(path) == credentials || path == config })
}

// exposed is a file that others have rights to. It stays readable for the daemon, which may have it only as one of the others.
func exposed(c *config.Config, path, found string) cdc.Finding {
	fix := "chmod 600 " + path
	if owner, reader := ownerOf(path), daemonUser(c); owner != reader && reader != 0 {
		fix = fmt.Sprintf("chown %s %s; %s", userName(reader), path, fix)
	}
	return cdc.Finding{Check: "file " + path, OK: true, Warn: true, Found: found, Fix: fix}
}

// daemonUser is whom the daemon runs as: the owner of state_dir, before the first start the packages' user, else who types this.
func daemonUser(c *config.Config) (uid int) {
	if os.Geteuid() != 0 {
		return os.Geteuid()
	}
	if uid, err := rulerOf(c.StateDir); err == nil && uid != 0 {
		return uid
	}
	return setup.ServiceOwner().UID
}

// ownerOf is whom a file belongs to, -1 when the system does not tell.
func ownerOf(path string) (uid int) {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// groupName is the name of the group that a file belongs to; empty when there is none, or it is root's.
func groupName(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Gid == 0 {
		return ""
	}
	g, err := user.LookupGroupId(strconv.Itoa(int(st.Gid)))
	if err != nil {
		return ""
	}
	return g.Name
}

func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// keepPrivate takes from everybody else the file that standard output is sent to, if it is one, before secrets are written to it.
// A new file of root's goes to uid, who has to read it.
func keepPrivate(stdout, stderr io.Writer, uid int) {
	const private fs.FileMode = 0o600
	f, ok := stdout.(*os.File)
	if !ok {
		return
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	if info.Mode().Perm() != private {
		err = f.Chmod(private)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && err == nil && st.Uid == 0 && uid != 0 && os.Geteuid() == 0 {
		err = f.Chown(uid, -1)
	}
	if err != nil {
		fmt.Fprintf(stderr, "rowhook: what is written is not for everybody, who may read the file it is written to: %v; type chmod 600 and its name\n", err)
	}
}
