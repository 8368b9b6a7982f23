// Keys, unfolding forms, and focus. Every page works without this file.
"use strict";

(() => {
  const WIDE = window.matchMedia("(min-width: 1100px)");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  // --- Forms ---------------------------------------------------------------------------------
  function unfold(name) {
    const wanted = document.getElementById(name);
    if (!wanted) return;
    all(".form").forEach((form) => { form.hidden = form !== wanted; });
    expand();
    wanted.scrollIntoView({ block: "start" });
    const select = one("[data-main] select", wanted);
    (select?.pickerBox || one("input[type=radio], select", wanted))?.focus({ preventScroll: true });
  }

  function fold() {
    all(".form").forEach((form) => { form.hidden = true; });
    expand();
    one("#ticket-title")?.focus();
  }

  function expand() {
    all("[data-opens]").forEach((link) => {
      const form = document.getElementById(link.dataset.opens);
      link.setAttribute("aria-expanded", String(Boolean(form && !form.hidden)));
    });
  }

  // Reasons are asked for only where something changes; a text only where a reason needs it.
  function settle(form) {
    const told = JSON.parse(one("#follows")?.textContent || "{}");
    const main = one("[data-main] select", form);
    all(".change[data-change]", form).forEach((change) => {
      const select = one("select", change);
      const follows = one(".follows", change);
      const path = select.value === "follow" ? told[main?.value]?.[change.dataset.change] : "";
      follows.textContent = path ? `→ ${path}` : "";
      follows.hidden = !path;
      const reasons = one("[data-reasons]", change);
      if (reasons) reasons.hidden = select.value === change.dataset.start && !one(".error", reasons);
    });
    const needsText = all("[data-wordy]:checked", form).some((radio) => !radio.closest("[hidden]"));
    const text = one("[data-text]", form);
    if (text && !one(".error", text) && !one("textarea", text).value) text.hidden = !needsText;
  }

  function afterChoice(select) {
    const form = select.closest("form");
    settle(form);
    form.closest(".form").scrollIntoView({ block: "start" });
    (unanswered(form) || one("button[type=submit]", form)).focus({ preventScroll: true });
  }

  // The first radio button of the first visible list of reasons that has no answer.
  function unanswered(form) {
    const lists = all("[data-reasons]", form).filter((list) => !list.hidden);
    const next = lists.find((list) => !one(":checked", list));
    return next ? one("input", next) : null;
  }

  function pick(digit) {
    const form = one(".form:not([hidden]) form");
    if (!form) return false;
    const lists = all("[data-reasons]", form).filter((list) => !list.hidden);
    const list = lists.find((item) => item.contains(document.activeElement))
      || lists.find((item) => !one(":checked", item)) || lists[0];
    const radio = list && one(`[data-digit="${digit}"]`, list);
    if (!radio) return false;
    radio.checked = true;
    settle(form);
    const text = one("[data-text]:not([hidden]) textarea", form);
    const needsText = "wordy" in radio.dataset;
    (needsText && text ? text : unanswered(form) || one("button[type=submit]", form)).focus();
    return true;
  }

  // A digit decides for a choice below a proposed parent, as long as no form has a use for it.
  function pickBelow(digit) {
    const button = one(".form:not([hidden])") ? null : one(`[data-picks] [data-digit="${digit}"]`);
    button?.click();
    return Boolean(button);
  }

  // --- List ----------------------------------------------------------------------------------
  function step(by) {
    const rows = all("[data-row]");
    const at = rows.findIndex((row) => row.hasAttribute("aria-current"));
    const next = rows[at < 0 ? 0 : at + by];
    if (next) next.click();
    else one(by > 0 ? ".pager [rel=next]" : ".pager [rel=prev]")?.click();
  }

  function openFirst() {
    const first = one("[data-row]");
    const hasRoom = WIDE.matches && one("#work .start:not([data-stays])");
    if (!first || !hasRoom || !window.htmx) return;
    // Where people decide, the first that nobody else looks at.
    window.htmx.ajax("GET", hasRoom.dataset.first || first.getAttribute("href"), {
      source: "#work .start", target: "#work", swap: "outerHTML", replace: "true",
    }).catch(() => {}); // Somebody chose another ticket meanwhile.
  }

  // --- Keys ----------------------------------------------------------------------------------
  const isTyping = (target) => target.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");

  // Every other key presses what is on the page and names it: data-key="a".
  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => one("#q")?.focus(),
    "?": () => one("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || one("dialog[open]")) return;
    if (event.key === "Escape") {
      if (event.target.closest("[data-answer]")) one("#work h1, main h1")?.focus();
      else if (one(".form:not([hidden])") && one("#accept, #after")) fold();
      return;
    }
    if (isTyping(event.target)) return;
    if (/^[1-9]$/.test(event.key)) {
      if (pick(event.key) || pickBelow(event.key)) event.preventDefault();
      return;
    }
    if (event.key === "Enter" && event.target.matches("[type=radio]")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    const key = event.key.toLowerCase();
    const named = /^[a-z]$/.test(key) && all(`[data-key="${key}"]`).find((item) => item.checkVisibility());
    const act = KEYS[key] || (named && (() => named.click()));
    if (act) {
      event.preventDefault();
      act();
    }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const closer = event.target.closest("[data-closes]");
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (opener) {
      event.preventDefault();
      unfold(opener.dataset.opens);
    } else if (closer && one("#accept, #after")) {
      event.preventDefault();
      fold();
    }
    all("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form) return;
    if (form.matches("[data-filter]") && !event.target.matches("#q")) form.requestSubmit();
    else if (form.closest(".form")) settle(form);
  });
  document.addEventListener("picker:chosen", (event) => afterChoice(event.target));

  // --- Swaps ---------------------------------------------------------------------------------
  function prepare() {
    all(".form form").forEach((form) => {
      all(".change[data-change] select", form).forEach((select) => {
        if (!select.pickerBox) window.Picker.enhance(select);
      });
      settle(form);
    });
    expand();
    one("[data-row][aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  // Where one answers first, letters go into the box at once; a touch screen keeps its keyboard in.
  function toAnswer() {
    const select = window.matchMedia("(pointer: fine)").matches && one("[data-answer] [data-main] select");
    select?.pickerBox?.focus({ preventScroll: true });
    return Boolean(select);
  }

  // The list answers at once, so that J J goes two down however slow the line is.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches("[data-row]")) return;
    all("[data-row][aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    event.target.setAttribute("aria-current", "true");
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches("[data-filter]")) return;
    // An address without the filters that are not set.
    const sent = event.detail.formData;
    new Set(sent.keys()).forEach((key) => {
      const said = sent.getAll(key).filter(Boolean);
      sent.delete(key);
      said.forEach((value) => sent.append(key, value));
    });
  });

  let kept = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    // What a page asks for by itself stays as it was where that is refused.
    if (xhr.status >= 400 && requestConfig.verb === "get" && !requestConfig.triggeringEvent) {
      event.detail.shouldSwap = false;
    }
    kept = all("details[data-keep][open]").map((item) => item.dataset.keep);
  });
  // Another ticket is there: for the eyes and, by the focus, for the ears.
  function arrived() {
    prepare();
    if (!toAnswer()) one("#work h1")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "proposal") prepare();
    if (event.target.id !== "work") return;
    all("details[data-keep]").forEach((item) => { item.open = item.open || kept.includes(item.dataset.keep); });
    prepare();
    if (event.detail.requestConfig?.elt.matches("[data-quiet]")) return;
    const wrong = one(".form:not([hidden]) .error");
    if (wrong) {
      const place = wrong.closest(".change, .reasons, .form");
      one("input:not([type=hidden]), textarea, select", place)?.focus();
    } else if (event.detail.requestConfig?.elt.matches("[data-filter]")) {
      one("#q")?.focus({ preventScroll: true });
      setTimeout(openFirst); // Once htmx has let go of this request.
    } else {
      arrived();
    }
  });

  function failed() {
    const toast = one("#toast");
    const words = document.createElement("p");
    words.textContent = toast.dataset.failed;
    toast.replaceChildren(words);
  }
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);

  window.Review = { arrived, failed };
  document.addEventListener("DOMContentLoaded", () => {
    prepare();
    toAnswer();
    openFirst();
  });
})();
