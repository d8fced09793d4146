package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"rowhook/config"
)

// loadState reads the configuration for a command that works in the state directory, as the user whom that belongs to.
func loadState(ctx context.Context, file string) (*config.Config, error) {
	c, err := config.Load(file)
	if err == nil {
		err = becomeOwner(c.StateDir)
	}
	if err == nil {
		err = knownSites(ctx, c)
	}
	return c, err
}

// becomeOwner gives up root's rights, for good, for those of the user whom the state directory belongs to. That user decides
// what lies there: a link in the place of a file would have root read, write or give away the file behind it, and no check
// can be quicker than who swaps them. It is also how the daemon can use what a command typed by root leaves there.
func becomeOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, err := rulerOf(dir)
	if err != nil {
		return fmt.Errorf("looking whom state_dir, %s, belongs to: %w", dir, err)
	}
	if uid == 0 {
		return nil
	}
	gid, groups := groupsOf(uid)
	err = syscall.Setgroups(groups)
	if err == nil {
		err = syscall.Setgid(gid)
	}
	if err == nil {
		err = syscall.Setuid(uid)
	}
	if err != nil {
		return fmt.Errorf("state_dir, %s, belongs to user %d, and root cannot become that user here: %w; run rowhook as that user", dir, uid, err)
	}
	return nil
}

// rulerOf is who decides what a path leads to: the owner of the first part of it that is not root's, links included. It is
// root when all of it is root's, and nobody else may write to it.
func rulerOf(path string) (uid int, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return 0, err
	}
	const mostLinks = 40 // as Linux
	done, links := "/", 0
	rest := strings.Split(path, "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		next := filepath.Join(done, part) // also where it is "..", for done has no links
		info, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil // root makes what is missing
		}
		if err != nil {
			return 0, err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return 0, errors.New("the system does not tell")
		}
		if st.Uid != 0 {
			return int(st.Uid), nil
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > mostLinks {
			return 0, errors.Join(err, fmt.Errorf("%s: too many links", next))
		}
		if filepath.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return 0, onlyRoots(done)
}

// onlyRoots refuses a directory of root's that others may write to.
func onlyRoots(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	const othersWrite = 0o002
	if info.Mode().Perm()&othersWrite != 0 {
		return fmt.Errorf("everybody may write to it, so what lies there cannot be trusted; chmod 700 %s, or name a directory of rowhook's own", dir)
	}
	return nil
}

// groupsOf are the groups of a user, or nobody's where the system does not know the user.
func groupsOf(uid int) (gid int, groups []int) {
	const nobody = 65534
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nobody, nil
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return nobody, nil
	}
	ids, _ := u.GroupIds() // without them some files may not be readable, which then is said
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			groups = append(groups, n)
		}
	}
	return gid, groups
}
