// Leases, and the next ticket at once: it is fetched while this one is read, and put in place while
// the decision is on its way. Without this file every decision simply leads to the next page.
"use strict";

(() => {
  const frame = document.querySelector("#frame");
  if (!frame || !window.htmx) return;
  const one = (selector, root = document) => root.querySelector(selector);
  // Nobody has read a ticket by then: a second A was meant for the first one.
  const UNREAD_MS = 300;
  // After a failure people go on typing for a while, for a ticket that is not there any more.
  const SURPRISE_MS = 1000;
  const QUIET_MS = 100;
  const PATIENCE_MS = 20000;
  // What may be asked while a decision is on its way.
  const ASIDE = "#effects, #equal, #lease, #looks, #skipped, #toast";

  let ahead = null; // { after, ticket, proposal, work, title, url }: fetched and claimed.
  let fetching = null;
  let timer = 0;
  let isPosting = false; // By `post` alone, so that whoever listens learns of it.
  let deadUntil = 0;

  const open = () => one("#proposal[data-held]");
  const isTyping = (target) => target.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
  const headers = (more) => ({ "HX-Request": "true", "HX-Current-URL": location.href, "X-Window": frame.dataset.window, ...more });
  const token = () => one("[name=csrfmiddlewaretoken]")?.value || "";

  // --- Keys that must not decide --------------------------------------------------------------
  function post(isUnderWay) {
    isPosting = isUnderWay;
    frame.setAttribute("aria-busy", String(isUnderWay));
  }
  const isDead = () => isPosting || performance.now() < deadUntil;
  const lock = (ms = UNREAD_MS) => { deadUntil = Math.max(deadUntil, performance.now() + ms); };
  // Keys in a row belong together: what began too early decides nothing at its end either.
  document.addEventListener("keydown", (event) => { if (isDead() && !isTyping(event.target)) lock(); }, true);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-decides]")) return;
    const isReady = ahead && ahead.after === open()?.dataset.ticket;
    if (!isDead() && !isReady) return; // htmx brings the next ticket with the answer.
    event.preventDefault();
    event.stopPropagation();
    if (isDead()) lock();
    else decide(form, event.submitter);
  }, true);

  // A decision that is on its way is not given up for another ticket.
  document.addEventListener("htmx:confirm", (event) => {
    if (isPosting && !event.target.closest(ASIDE)) event.preventDefault();
  });
  const isDeciding = (event) => event.detail.requestConfig.elt.matches("[data-decides]");
  document.addEventListener("htmx:beforeRequest", (event) => { if (isDeciding(event)) post(true); });
  document.addEventListener("htmx:afterRequest", (event) => { if (isDeciding(event)) post(false); });

  // --- Deciding -------------------------------------------------------------------------------
  async function decide(form, submitter) {
    const former = { work: one("#work"), title: document.title, focus: document.activeElement };
    const shown = ahead;
    ahead = null;
    post(true);
    const answering = fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, submitter)),
      headers: headers({ "X-Ahead": shown.proposal }),
      signal: AbortSignal.timeout(PATIENCE_MS),
      keepalive: true, // Whoever closes the window now has decided all the same.
    }).then(async (answer) => ({ answer, text: await answer.text() }));
    put(shown);
    try {
      const { answer, text } = await answering;
      post(false);
      settle(answer, text, shown, former);
    } catch {
      post(false);
      putBack(shown, former);
    }
  }

  function put(shown) {
    one("#work").replaceWith(shown.work);
    document.title = shown.title;
    window.htmx.process(shown.work);
    window.Review.arrived();
    lock();
  }

  function settle(answer, text, shown, former) {
    const login = answer.headers.get("HX-Redirect");
    if (login) {
      location.href = login;
    } else if (answer.headers.get("X-Ahead") === shown.proposal) {
      window.htmx.swap("#toast", text, { swapStyle: "none" });
      push(shown.url);
      later();
    } else if (answer.ok || [403, 409, 422].includes(answer.status)) {
      // Another ticket than the one that is shown, or what is wrong with the decision.
      document.title = former.title;
      window.htmx.swap("#work", text, { swapStyle: "outerHTML" });
      if (answer.ok) push(answer.url);
      lock(SURPRISE_MS);
      later();
    } else {
      putBack(shown, former);
    }
  }

  // As htmx does it, so that going back loads the page that was left.
  function push(url) {
    history.replaceState({ htmx: true }, "", location.href);
    history.pushState({ htmx: true }, "", url);
  }

  // Nothing was saved: the former ticket is there again, with all that was typed.
  function putBack(shown, former) {
    one("#work").replaceWith(former.work);
    document.title = former.title;
    (former.focus && former.work.contains(former.focus) ? former.focus : one("#work h1"))?.focus({ preventScroll: true });
    ahead = shown;
    lock(SURPRISE_MS);
    window.Review.failed();
  }

  // --- The next ticket ------------------------------------------------------------------------
  // A little later, so that J J J asks for one ticket and not for three.
  function later() {
    clearTimeout(timer);
    fetching?.abort();
    timer = setTimeout(prefetch, QUIET_MS);
  }

  async function prefetch() {
    const { ticket: after, ahead: url } = open()?.dataset || {};
    if (!url || ahead?.after === after) return;
    ahead = null;
    fetching = new AbortController();
    try {
      const answer = await fetch(url, { headers: headers(), signal: fetching.signal });
      if (answer.status !== 200) return;
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      const work = one("#work", box.content);
      const { ticket, proposal, url: place } = one("#proposal", work).dataset;
      if (open()?.dataset.ticket !== after || isPosting) return;
      ahead = { after, ticket, proposal, url: place, title: one("title", box.content).textContent, work: document.adoptNode(work) };
    } catch {
      // Given up for another ticket, or offline: a decision then leads on by itself.
    }
  }

  // --- Leases ---------------------------------------------------------------------------------
  async function beat() {
    const held = open();
    if (!held || isPosting) return;
    const asked = [held.dataset, ...(ahead ? [ahead] : [])];
    const body = new URLSearchParams([["csrfmiddlewaretoken", token()], ...asked.map(({ ticket }) => ["ticket", ticket])]);
    try {
      const answer = await fetch(frame.dataset.renew, { method: "POST", body, headers: headers() });
      const login = answer.headers.get("HX-Redirect");
      if (login) { signedOut(login); return; }
      if (!answer.ok) return;
      const told = (await answer.json()).held;
      const isLost = ({ ticket, proposal }) => String(told[ticket]) !== proposal;
      if (isPosting) return;
      if (ahead && asked.includes(ahead) && isLost(ahead)) { ahead = null; later(); }
      if (held.isConnected && isLost(held.dataset)) lose(held);
    } catch {
      // The next beat tries again; until then the lease may end.
    }
  }

  function lose(proposal) {
    delete proposal.dataset.held;
    proposal.classList.add("is-lost");
    ahead = null;
    window.htmx.ajax("GET", proposal.dataset.lease, { source: "#lease", target: "#lease", swap: "outerHTML" }).catch(() => {});
  }

  function signedOut(login) {
    const note = document.createElement("p");
    const link = document.createElement("a");
    note.className = "note warn";
    link.href = login;
    link.textContent = frame.dataset.signIn;
    note.append(frame.dataset.signedOut, " ", link);
    one("#lease")?.replaceChildren(note);
  }

  function start() {
    lock();
    later();
    const seconds = Number(frame.dataset.seconds);
    try {
      const worker = new Worker(frame.dataset.beat);
      worker.onmessage = beat;
      worker.postMessage(seconds);
    } catch {
      setInterval(beat, seconds * 1000);
    }
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "work" || event.target.id === "proposal") { lock(); later(); }
  });
  window.addEventListener("pagehide", () => {
    if (!open()) return;
    const body = new URLSearchParams([["csrfmiddlewaretoken", token()], ["window", frame.dataset.window]]);
    navigator.sendBeacon(frame.dataset.release, body);
  });
  // Back from the browser's memory of pages, or from a sleep.
  window.addEventListener("pageshow", (event) => { if (event.persisted) beat(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) beat(); });
  document.addEventListener("DOMContentLoaded", start);
})();
