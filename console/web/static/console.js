// Keeps a page true: when the daemon has news, the page is asked for anew and what differs is swapped. Focus, what is open, what is
// typed and where one is stay. Pages do without it.
"use strict";

const told = document.getElementById("told");
let asking = false, late = false;

// copy adds a button to what one may want to copy.
function copyButtons(within) {
	if (!navigator.clipboard) return;
	for (const text of within.querySelectorAll(".cmd, code.all, dd.all")) {
		if (text.nextElementSibling?.classList.contains("copy")) continue;
		const button = document.createElement("button");
		button.type = "button";
		button.className = "quiet copy";
		button.textContent = "Copy";
		button.addEventListener("click", async () => {
			const lines = [...text.querySelectorAll("code")].map((c) => c.textContent);
			await navigator.clipboard.writeText(lines.length ? lines.join("\n") : text.textContent);
			button.textContent = "Copied";
			setTimeout(() => { button.textContent = "Copy"; }, 2000);
		});
		if (text.tagName === "DD") text.append(" ", button); else text.after(button);
	}
}

// busy says whether a person is at something that a swap would take away: typing, choosing, deciding, or reading a payload.
function busy(part) {
	const at = document.activeElement;
	return part.contains(at) && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) ||
		part.querySelector(".counted, pre.payload") !== null || !getSelection().isCollapsed && part.contains(getSelection().anchorNode);
}

// place finds the same element in a page that was made anew: by its id, or what it does.
function place(element) {
	if (!element || element === document.body) return () => null;
	if (element.id) return () => document.getElementById(element.id);
	const name = element.textContent.trim(), tag = element.tagName;
	const same = (root) => [...root.querySelectorAll(tag)].filter((e) => e.textContent.trim() === name);
	const nth = same(document).indexOf(element);
	return () => same(document)[nth] ?? null;
}

function swap(made) {
	const verdict = document.querySelector("#verdict h1")?.textContent;
	const back = place(document.activeElement);
	for (const part of made.querySelectorAll("#top, #foot, main > [id], main > .two > div > [id]")) {
		const is = document.getElementById(part.id);
		if (!is || busy(is)) continue;
		const copies = is.cloneNode(true);
		copies.querySelectorAll(".copy").forEach((b) => b.remove());
		for (const open of part.querySelectorAll("details[id]")) open.open = document.getElementById(open.id)?.open ?? open.open;
		for (const open of copies.querySelectorAll("details[id]")) open.open = document.getElementById(open.id)?.open ?? open.open;
		if (copies.innerHTML === part.innerHTML) continue;
		is.replaceWith(part);
		copyButtons(part);
	}
	// What is there now and was not, or no longer is: the page as a whole.
	const ids = (root) => [...root.querySelectorAll("main > [id]")].map((e) => e.id).join(" ");
	const main = document.getElementById("main");
	if (ids(document) !== ids(made) && !busy(main)) {
		main.replaceWith(made.getElementById("main"));
		copyButtons(document);
	}
	document.title = made.title;
	if (!document.activeElement || document.activeElement === document.body) back()?.focus({ preventScroll: true });
	const now = document.querySelector("#verdict h1")?.textContent;
	if (now !== verdict && told) told.textContent = now;
}

async function refresh() {
	if (document.hidden || asking) { late = true; return; }
	asking = true;
	try {
		const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "follow" });
		if (answer.redirected && new URL(answer.url).pathname === "/login") { location.reload(); return; }
		if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
	} catch { /* the daemon is away: the stream says when it is back */ }
	asking = false;
	if (late) { late = false; refresh(); }
}

// A page looks for a moment and says how far it got: when nothing was found so far, go on looking.
const further = document.getElementById("further");
if (further && !document.querySelector("#list tbody tr")) location.replace(further.href);

copyButtons(document);
if (document.body.dataset.live !== undefined) {
	const news = new EventSource("/news");
	news.onmessage = refresh;
	news.addEventListener("out", () => { news.close(); location.reload(); });
	document.addEventListener("visibilitychange", () => { if (!document.hidden && late) { late = false; refresh(); } });
	addEventListener("pagehide", () => news.close());
}
