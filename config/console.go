package config

import (
	"net"
	"strconv"
)

// checkConsole records what is wrong with where the console listens, and with who may look at it.
func (c *Config) checkConsole(src *Source) {
	o := c.Console
	switch {
	case o.Listen == "":
		if src.Has("console.exposed") && o.Exposed != "" {
			src.Faultf("console.exposed", "says why the console listens, and console.listen does not say where; write listen, or remove it")
		}
	case !isListenAddress(o.Listen):
		src.Faultf("console.listen", "%s is no address to listen on; an example is 127.0.0.1:8484", src.Quote("console.listen"))
	case !isLoopback(o.Listen) && o.Exposed == "":
		src.Faultf("console.listen", "%s can be reached from other machines, and the console speaks plain HTTP; write 127.0.0.1:8484 and reach it by ssh -L 8484:127.0.0.1:8484 or through a proxy with TLS, or say in console.exposed why it must be so",
			src.Quote("console.listen"))
	}
	for i, host := range o.Hosts {
		key := "console.hosts[" + strconv.Itoa(i) + "]"
		if net.ParseIP(host) == nil && !hostName.MatchString(host) {
			src.Faultf(key, "%s is no name of a host; write what browsers have between https:// and the next slash, without a port: rowhook.example.com", src.Quote(key))
		}
	}
	names := map[string]string{}
	for i, u := range o.Users {
		key := "console.users[" + strconv.Itoa(i) + "]"
		if !siteName.MatchString(u.Name) {
			src.Faultf(key+".name", "must be 1 to 64 characters of a-z, 0-9, _ and -")
		} else if first, twice := names[u.Name]; twice {
			src.Faultf(key+".name", "%s is at %s, too; give each user one entry", quote(u.Name), first)
		}
		names[u.Name] = src.Place(key)
		if len(u.Sites) == 0 {
			src.Faultf(key, "has no sites; list those that this user may see. Who may see all needs no entry")
		}
		for j, site := range u.Sites {
			if at := key + ".sites[" + strconv.Itoa(j) + "]"; !c.HasSite(site) {
				src.Faultf(at, "%s is no site of this configuration; write the name of one", src.Quote(at))
			}
		}
	}
}

// isLoopback says whether only this machine reaches an address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// User is the user of the console with a name; false: there is none.
func (c Console) User(name string) (User, bool) {
	for _, u := range c.Users {
		if u.Name == name {
			return u, true
		}
	}
	return User{}, false
}
