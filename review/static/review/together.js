// Many proposals in one form: the box to type in, and reasons by their digit.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);

  function prepare() {
    const select = one("[data-together] [data-main] select");
    if (select && !select.pickerBox) window.Picker.enhance(select);
    const wrong = one("#together .error, #together [role=alert]");
    const place = wrong?.closest(".change, .reasons");
    if (place) one("input:not([type=hidden]), textarea", place)?.focus();
  }

  function pick(digit) {
    const open = one("[data-together] .form:not([hidden])");
    const radio = open && one(`[data-digit="${digit}"]`, open);
    if (!radio) return;
    radio.checked = true;
    if (!("wordy" in radio.dataset)) {
      one("button[type=submit]", open).focus();
      return;
    }
    one(".words-too").open = true;
    one(".words-too textarea").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || one("dialog[open]")) return;
    if (event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    if (/^[1-9]$/.test(event.key)) pick(event.key);
  });

  // Enter in the box would press the first button of the form, which accepts.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("[data-together] input")) return;
    if (event.target.getAttribute("aria-expanded") === "true") return;
    const section = event.target.closest(".form");
    event.preventDefault();
    event.stopPropagation();
    if (section && event.target.type === "radio") one("button[type=submit]", section).click();
  }, true);

  document.addEventListener("picker:chosen", (event) => {
    const section = event.target.closest("[data-together] .form");
    if (!section) return;
    event.stopImmediatePropagation();
    (one(".reasons input", section) || one("button[type=submit]", section)).focus();
  }, true);

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "together") return;
    prepare();
    if (!one("#together .error")) one("#together h1")?.focus({ preventScroll: true });
  });

  document.addEventListener("DOMContentLoaded", prepare);
})();
