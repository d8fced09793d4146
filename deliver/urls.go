package deliver

import (
	"slices"
	"time"
)

// urlState is what is known of one of an endpoint's URLs: a deleted hook, or one that is asked too often, is no matter of the
// other hooks of the same host.
type urlState struct {
	url     string    // may hold secrets
	breaker breaker   // open while the URL is in trouble, as far as is known alone
	probing bool      // a probe is on its way
	waiting []*item   // items that may go but for the breaker
	paused  bool      // by a person or a 410: its items are not even held in memory, and hold back no others
	resumed time.Time // when that was over; zero: it never was
	success time.Time // when something was accepted last
	failed  time.Time // when it last was in trouble; zero: not since something was accepted
}

// passes tells whether a delivery may be posted there now.
func (u *urlState) passes(now time.Time) bool {
	return !u.breaker.open() || !u.probing && !now.Before(u.breaker.until)
}

// urls are an endpoint's URLs.
type urls struct {
	all     map[string]*urlState // by URL
	trouble map[*urlState]bool   // those whose breaker is open
}

func newURLs() urls {
	return urls{all: make(map[string]*urlState), trouble: make(map[*urlState]bool)}
}

// of is the state of a URL.
func (us *urls) of(url string) *urlState {
	u := us.all[url]
	if u == nil {
		u = &urlState{url: url}
		us.all[url] = u
	}
	return u
}

// set makes some URLs those of the endpoint, and tells whether others were.
func (us *urls) set(urls []string) (changed bool) {
	for url := range us.all {
		if !slices.Contains(urls, url) {
			delete(us.all, url)
			changed = true
		}
	}
	for _, url := range urls {
		us.of(url)
	}
	return changed
}

// paused tells whether all of them are.
func (us *urls) paused() bool {
	for _, u := range us.all {
		if !u.paused {
			return false
		}
	}
	return len(us.all) > 0
}

// othersFail tells whether another URL is in trouble, too, and nothing got through since.
func (us *urls) othersFail(u *urlState, success time.Time) bool {
	for _, other := range us.all {
		if other != u && !other.failed.IsZero() && !other.paused && !other.failed.Before(success) {
			return true
		}
	}
	return false
}

// fail opens the breaker of a URL, or takes in that a probe failed.
func (us *urls) fail(u *urlState, now time.Time, asked time.Duration) {
	u.breaker.fail(now, asked)
	us.trouble[u] = true
}

// recovered closes the breaker of a URL. It returns the items that waited.
func (us *urls) recovered(u *urlState) []*item {
	waiting := u.waiting
	u.breaker.close()
	u.waiting, u.probing = nil, false
	delete(us.trouble, u)
	return waiting
}

// forget closes all breakers; the items that wait are forgotten, too.
func (us *urls) forget() {
	for u := range us.trouble {
		us.recovered(u)
	}
}

// next is when the next probe of a URL is due, zero when none is.
func (us *urls) next() time.Time {
	var at time.Time
	for u := range us.trouble {
		if !u.probing && len(u.waiting) > 0 && (at.IsZero() || u.breaker.until.Before(at)) {
			at = u.breaker.until
		}
	}
	return at
}

// probes are items to find out with whether URLs are back, whose time for that has come. They wait no more.
func (us *urls) probes(now time.Time) (list []*item) {
	for u := range us.trouble {
		if u.probing || len(u.waiting) == 0 || now.Before(u.breaker.until) {
			continue
		}
		i := u.breaker.choose(len(u.waiting))
		it := u.waiting[i]
		it.probe, it.early, u.probing = true, true, true
		list = append(list, it)
		u.waiting = slices.Delete(u.waiting, i, i+1)
	}
	return list
}
