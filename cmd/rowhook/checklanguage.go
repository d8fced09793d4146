package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"rowhook/cdc"
	"rowhook/config"
	"rowhook/loader"
	"rowhook/rules"
)

// checkLanguages names the sites whose language packs the daemon cannot read, and whose payloads have other names of months and days
// then than the site itself. What cannot be asked is another finding's.
func checkLanguages(ctx context.Context, db *sql.DB, source *cdc.Source, c *config.Config) []cdc.Finding {
	ld := loader.New(db, source, loader.Options{}, slog.New(slog.DiscardHandler))
	uid := daemonUser(c)
	gid, groups := groupsOf(uid)
	groups = append(groups, gid)
	return ofSites(c, func(_ int, site *rules.Site) []cdc.Finding {
		pack, err := ld.PackOf(ctx, site)
		if err != nil || pack == nil {
			return nil
		}
		f := cdc.Finding{Check: "language of site " + site.Name, OK: true, Found: "its language pack names months and days: " + pack.File}
		names := "English"
		if _, err := os.Stat(pack.Content); pack.Own && !errors.Is(err, fs.ErrNotExist) {
			names = "rowhook's own for that language, which may differ from the site's"
		}
		found, fix := closedPack(pack, uid, groups)
		switch {
		case pack.File == "" && pack.Own:
			f.Found = pack.Locale + ": names of months and days are rowhook's own for that language"
		case pack.File == "":
			f.Warn, f.Found = true, pack.Locale+": names of months and days are English, for rowhook has none of that language and WordPress' folder is not known"
			f.Fix = "name that folder in the configuration: the site's root"
		case found != "":
			f.Warn, f.Found, f.Fix = true, fmt.Sprintf("%s; names of months and days in payloads are %s", found, names), fix
		}
		return []cdc.Finding{f}
	})
}

// closedPack is why a user cannot look whether there is a language pack, and what fixes it; empty when he can.
func closedPack(pack *loader.Pack, uid int, groups []int) (found, fix string) {
	path := pack.File
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = pack.Content
		_, err = os.Stat(path)
	}
	if err != nil {
		return err.Error(), "see that root of the site, in the configuration, is WordPress' folder"
	}
	if os.Geteuid() != 0 || uid == 0 {
		return "", ""
	}
	if at := closedTo(path, uid, groups); at != "" {
		return fmt.Sprintf("rowhook runs as %s, who may not look into %s", userName(uid), at), openTo(at, uid)
	}
	return "", ""
}

// openTo is what lets a user into a folder: membership in its group, where that may look into it, rather than rights for everybody.
func openTo(path string, uid int) string {
	const group fs.FileMode = 0o050
	info, err := os.Stat(path)
	if err == nil && info.IsDir() && info.Mode().Perm()&group == group {
		if name := groupName(path); name != "" {
			return fmt.Sprintf("usermod -aG %s %s; systemctl restart rowhook", name, userName(uid))
		}
	}
	if err == nil && !info.IsDir() {
		return "chmod o+r " + path
	}
	return "chmod o+x " + path
}
