// Turns a <select> into a box one types into: an ARIA combobox whose choice is the select's value.
"use strict";

window.Picker = (() => {
  let count = 0;

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  // All typed pieces must start a word of the option: "net v" finds "Network › VPN".
  function fits(option, typed) {
    const words = plain(option.textContent).split(/[^\p{L}\p{N}]+/u);
    return plain(typed).split(/\s+/).filter(Boolean)
      .every((piece) => words.some((word) => word.startsWith(piece)));
  }

  function enhance(select) {
    const box = document.createElement("input");
    const list = document.createElement("ul");
    const id = `picker-${++count}`;
    const wrap = document.createElement("div");
    const label = document.querySelector(`label[for="${select.id}"]`);
    wrap.className = "picker";
    select.before(wrap);
    wrap.append(box, list, select);
    box.id = id;
    list.id = `${id}-list`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", label ? label.textContent : "");
    Object.entries({
      type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    }).forEach(([name, value]) => box.setAttribute(name, value));
    const errors = select.getAttribute("aria-describedby");
    if (errors) box.setAttribute("aria-describedby", errors);
    if (label) label.htmlFor = id;

    const chosen = () => select.options[select.selectedIndex];
    const shown = () => [...list.querySelectorAll("[role=option]")];
    const active = () => list.querySelector("[aria-selected=true]");
    const reset = () => { box.value = chosen() ? chosen().textContent : ""; };
    reset();

    function mark(item) {
      active()?.setAttribute("aria-selected", "false");
      if (!item) { box.removeAttribute("aria-activedescendant"); return; }
      item.setAttribute("aria-selected", "true");
      item.scrollIntoView({ block: "nearest" });
      box.setAttribute("aria-activedescendant", item.id);
    }

    function open(typed) {
      const options = [...select.options].filter((option) => fits(option, typed));
      list.replaceChildren(...options.map((option) => {
        const item = document.createElement("li");
        item.id = `${id}-${option.index}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.value = option.value;
        item.textContent = option.textContent;
        return item;
      }));
      list.hidden = options.length === 0;
      box.setAttribute("aria-expanded", String(!list.hidden));
      const items = shown();
      mark(typed ? items[0] : items.find((item) => item.dataset.value === select.value) || items[0]);
    }

    function close() {
      list.hidden = true;
      box.setAttribute("aria-expanded", "false");
      mark(null);
    }

    function choose(item) {
      const changed = select.value !== item.dataset.value;
      select.value = item.dataset.value;
      reset();
      close();
      if (changed) select.dispatchEvent(new Event("change", { bubbles: true }));
      select.dispatchEvent(new CustomEvent("picker:chosen", { bubbles: true }));
    }

    box.addEventListener("focus", () => box.select());
    box.addEventListener("click", () => { if (list.hidden) open(""); });
    box.addEventListener("input", () => open(box.value));
    box.addEventListener("blur", () => { close(); reset(); });
    box.addEventListener("keydown", (event) => {
      const items = shown();
      const at = items.indexOf(active());
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) { open(""); return; }
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark(items[(at + step + items.length) % items.length]);
      } else if (event.key === "Enter" && !list.hidden && at >= 0) {
        event.preventDefault();
        choose(items[at]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        close();
        reset();
      }
    });
    // mousedown, because blur closes the list before a click arrives.
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target.closest("[role=option]");
      if (item) choose(item);
    });
    select.pickerBox = box;
  }

  return { enhance };
})();
