// An earlier ticket beside the present one, as a dialog. Without this file it is a page.
"use strict";

(() => {
  const dialog = () => document.querySelector("dialog#beside");
  const isTyping = (target) => target.closest("textarea, select, input");

  // Where keys go: the open dialog, or the page that shows nothing else.
  function place() {
    const box = dialog();
    if (box) return box.open ? box : null;
    return document.querySelector("main > .beside");
  }

  // A link that was swapped in just now is no link of htmx yet: a click would leave the ticket.
  function follow(link) {
    const address = link?.getAttribute("hx-get");
    if (address) window.htmx.ajax("GET", address, { target: "#beside", swap: "innerHTML" });
    else link?.click();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = dialog();
    if (!box || event.target !== box) return;
    if (!box.open) box.showModal();
    box.scrollTop = 0;
    box.querySelector("h2")?.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    const shown = place();
    if (!shown) return;
    const key = event.key.toLowerCase();
    const link = key === "j" ? "[rel=next]" : key === "k" ? "[rel=prev]" : "";
    if (link) {
      event.preventDefault();
      follow(shown.querySelector(`header ${link}`));
    } else if (event.key === "Escape" && !shown.matches("dialog")) {
      shown.querySelector("[data-shuts]")?.click();
    }
  });

  document.addEventListener("click", (event) => {
    const box = dialog();
    if (!box?.open || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target === box || event.target.closest("#beside [data-shuts]")) {
      event.preventDefault();
      box.close();
    }
  });
})();
