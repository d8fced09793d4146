//go:build browser

package web

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rowhook/outbox"
)

//go:embed testdata/axe/axe.min.js
var axe string

// newTab opens a browser that is logged in. Nothing of it leaves this machine.
func newTab(t *testing.T, w *world) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()))
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(allocated)
	t.Cleanup(stopTab)
	ctx, stopTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(stopTime)
	link := strings.Replace(w.console.Link("", nil), "https://rowhook.example.com", w.server.URL, 1)
	if err := chromedp.Do(ctx, chromedp.Navigate(link), chromedp.Click("button.go"), chromedp.WaitVisible("#numbers")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// look is how a page is looked at.
type look struct {
	name          string
	width, height int64
	scheme        string
}

var looks = []look{{"desktop-light", 1280, 900, "light"}, {"desktop-dark", 1280, 900, "dark"}, {"phone-light", 390, 844, "light"}, {"phone-dark", 390, 844, "dark"}, {"narrow-light", 320, 700, "light"}}

func (l look) set(ctx context.Context) error {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(l.width, l.height)); err != nil {
		return err
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}})
	return err
}

// violation is what axe found.
type violation struct {
	ID, Help string
	Nodes    []struct {
		HTML, FailureSummary string
	}
}

// TestBrowser: each page at desktop and phone width, light and dark: nothing that axe-core knows is wrong, nothing is wider than the
// screen, and no script or style was refused. CONSOLE_SHOTS names a folder for pictures of them.
func TestBrowser(t *testing.T) {
	w := newWorld(t)
	d := w.troubled()
	w.console.outbox = busyDay{w.store}
	tab := newTab(t, w)
	pages := map[string]string{
		"overview": "/", "deliveries": "/deliveries?site=salon", "dead": "/deliveries?state=dead", "delivery": rowLinkOf(d), "endpoints": "/endpoints?open=" + board,
		"rules": "/rules", "sites": "/sites", "login": "/login", "message": "/none",
	}
	for _, name := range sortedKeys(pages) {
		for _, l := range looks {
			t.Run(name+"/"+l.name, func(t *testing.T) { inspect(tab, t, w.server.URL+pages[name], name, l) })
		}
	}
}

func inspect(tab context.Context, t *testing.T, url, name string, l look) {
	if err := l.set(tab); err != nil {
		t.Fatal(err)
	}
	do(tab, t, chromedp.Navigate(url), chromedp.WaitVisible("#main"))
	wider := ask(tab, t, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
	shot := ask(tab, t, chromedp.FullScreenshot(100))
	ask(tab, t, chromedp.Evaluate[int](axe+`;0`))
	raw := ask(tab, t, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => ({html: n.html, failureSummary: n.failureSummary}))}))))`, chromedp.EvalAwaitPromise))
	var found []violation
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s\n%s\n%s", v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
	if wider > 0 {
		t.Errorf("the page is %d px wider than the screen", wider)
	}
	if dir := os.Getenv("CONSOLE_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s.png", name, l.name)), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// do runs steps, ask one that answers.
func do(tab context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](tab context.Context, t *testing.T, a chromedp.Action[T]) T {
	t.Helper()
	answer, err := chromedp.Run(tab, a)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestKeyboard: who has no mouse reaches all there is: the skip link first, then what leads to a delivery, and a change of many.
func TestKeyboard(t *testing.T) {
	w := newWorld(t)
	w.troubled()
	tab := newTab(t, w)
	at := func() string {
		t.Helper()
		return ask(tab, t, chromedp.Evaluate[string](`document.activeElement.textContent.trim()`))
	}
	do(tab, t, chromedp.Navigate(w.server.URL+"/"), chromedp.WaitVisible("#numbers"), chromedp.KeyEvent(kb.Tab))
	if got := at(); got != "Skip to the page" {
		t.Fatalf("the first stop is %q", got)
	}
	do(tab, t, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("booking 12"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#list"))
	if got := ask(tab, t, chromedp.Title()); !strings.Contains(got, "3 deliveries match") {
		t.Fatalf("searching led to %q", got)
	}
	reach := func(text string) {
		t.Helper()
		for range 80 {
			do(tab, t, chromedp.KeyEvent(kb.Tab))
			got := at()
			if !ask(tab, t, chromedp.Evaluate[bool](`document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`)) {
				t.Fatalf("who is at %q does not see it", got)
			}
			if strings.HasPrefix(got, text) {
				return
			}
		}
		t.Fatalf("%q cannot be reached", text)
	}
	reach("Retry…")
	do(tab, t, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".counted"))
	reach("Retry 1 delivery")
	do(tab, t, chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent(".counted"))
	if got := w.given(); len(got) != 1 || !strings.HasPrefix(got[0], "retry [") {
		t.Errorf("it did %v", got)
	}
}

// TestLive: with the script pages follow by themselves, and what a person has focused or typed stays; copies are a click away.
func TestLive(t *testing.T) {
	w := newWorld(t)
	w.troubled()
	tab := newTab(t, w)
	do(tab, t, chromedp.Navigate(w.server.URL+"/"), chromedp.WaitVisible("#numbers"), chromedp.WaitVisible(".copy"))
	ask(tab, t, chromedp.Evaluate[bool](`document.querySelector("#q").focus(); document.querySelector("#q").value = "boo"; window.same = true`))
	for i := range 3 {
		w.settle(w.commit("crm-bookings", "salon", fmt.Sprintf("appointment/9%d", i), "appointment.save", `{}`), outbox.Dead, 10, nil)
	}
	w.recount()
	ask(tab, t, chromedp.Poll[bool](`[...document.querySelectorAll("#numbers dd")].some((d) => d.textContent === "7")`, chromedp.WithPollingTimeout(30*time.Second)))
	typed := ask(tab, t, chromedp.Evaluate[string](`document.activeElement.id === "q" ? document.querySelector("#q").value : "the focus went"`))
	if same := ask(tab, t, chromedp.Evaluate[bool](`window.same === true`)); typed != "boo" || !same {
		t.Errorf("%q, the same page: %v", typed, same)
	}
}

// TestWithoutScript: what the script does not do, pages do by themselves.
func TestWithoutScript(t *testing.T) {
	w := newWorld(t)
	w.troubled()
	tab := newTab(t, w)
	if _, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(tab, t, chromedp.Navigate(w.server.URL+"/endpoints"), chromedp.Click(`tr[id="`+crm+`"] button`), chromedp.WaitVisible(`[role=status] .done`))
	if !slices.Contains(w.given(), "pause "+crm+" by operator in the console") {
		t.Errorf("it did %v", w.given())
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func rowLinkOf(d *outbox.Delivery) string { return rowLink(&outbox.Stored{Delivery: *d}) }
