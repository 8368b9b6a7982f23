"use strict";
/* Conditions and actions of a rule as rows of inputs. The JSON textarea stays what is posted. */

(() => {
  const PLACES = [["either", "in subject or body"], ["subject", "in the subject"], ["body", "in the body"]];

  const element = (tag, properties, children = []) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const options = (pairs, chosen) =>
    pairs.map(([value, text]) => element("option", { value, text, selected: chosen.includes(value) }));

  // What was retired since the rule was written is still shown, so that it is seen and replaced.
  const withStored = (pairs, stored) => {
    const known = new Set(pairs.map(([value]) => value));
    const gone = stored.filter((value) => value !== undefined && value !== "" && !known.has(value));
    return [...pairs, ...gone.map((value) => [value, `${value} (not offered any more)`])];
  };

  const picker = (pairs, stored, properties = {}) =>
    element("select", properties, options(withStored(pairs, stored), stored));

  /* Each input answers its part of the JSON through `read`. */
  const inputs = {
    field: (spec, item) => fieldPicker(spec.fields, item),
    ordered: (spec, item) => fieldPicker(spec.fields.filter((field) => field.ordered), item),
    choice: (spec, item, name, of) => {
      const input = picker(choicesOf(spec, of ?? item.field), [item[name] ?? ""]);
      return [input, () => input.value];
    },
    choices: (spec, item, name) => {
      const stored = Array.isArray(item[name]) ? item[name] : [];
      const input = picker(choicesOf(spec, item.field), stored, { multiple: true });
      return [input, () => [...input.selectedOptions].map((option) => option.value)];
    },
    place: (spec, item, name) => {
      const input = picker(PLACES, [item[name] ?? "either"]);
      return [input, () => input.value];
    },
    lines: (spec, item, name) => {
      const value = Array.isArray(item[name]) ? item[name].join("\n") : "";
      const input = element("textarea", { rows: 3, value, placeholder: "one a line" });
      return [input, () => input.value.split("\n").map((line) => line.trim()).filter(Boolean)];
    },
    number: (spec, item, name) => {
      const input = element("input", { type: "number", step: "any", min: 0, value: item[name] ?? "" });
      return [input, () => (input.value === "" ? null : Number(input.value))];
    },
    text: (spec, item, name) => {
      const input = element("input", { type: "text", value: item[name] ?? "" });
      return [input, () => input.value.trim()];
    },
  };

  const fieldPicker = (fields, item) => {
    const input = picker(fields.map((field) => [field.key, field.name]), [item.field ?? ""]);
    return [input, () => input.value];
  };

  const choicesOf = (spec, key) => {
    const field = spec.fields.find((one) => one.key === key) ?? spec.fields[0];
    return field ? field.choices : [];
  };

  const rowsOf = (host) => {
    const textarea = document.getElementById(host.dataset.for);
    const spec = JSON.parse(document.getElementById(host.dataset.spec).textContent);
    let items;
    try {
      items = JSON.parse(textarea.value || "[]");
    } catch {
      return;
    }
    // What is no list of known kinds can only be mended as text.
    const kinds = new Map(spec.kinds.map((kind) => [kind.kind, kind]));
    const isReadable = (item) => item !== null && typeof item === "object" && kinds.has(item.kind);
    if (!Array.isArray(items) || !items.every(isReadable)) return;

    const store = () => {
      textarea.value = JSON.stringify(items, null, 1);
      textarea.dispatchEvent(new Event("change", { bubbles: true }));
    };

    const drawRow = (item, place) => {
      const kind = kinds.get(item.kind);
      const select = picker(spec.kinds.map((one) => [one.kind, one.label]), [item.kind], { className: "rule-kind" });
      select.setAttribute("aria-label", `Kind of ${spec.noun} ${place + 1}`);
      select.addEventListener("change", () => {
        items[place] = { kind: select.value };
        draw(place);
      });
      const parts = kind.takes.map(([name, takes]) => {
        const [type, of] = takes.split(":");
        const [input, read] = inputs[type](spec, item, name, of);
        input.setAttribute("aria-label", `${kind.label}: ${name}`);
        item[name] = read();
        const isField = type === "field" || type === "ordered";
        input.addEventListener(isField ? "change" : "input", () => {
          item[name] = read();
          if (!isField) return store();
          // Another field has other choices.
          delete item.choice;
          delete item.choices;
          draw(place);
        });
        return input;
      });
      const remove = element("button", { type: "button", className: "desk-button rule-remove", textContent: "Remove" });
      remove.setAttribute("aria-label", `Remove ${spec.noun} ${place + 1}`);
      remove.addEventListener("click", () => {
        items.splice(place, 1);
        draw(-1);
      });
      return element("div", { className: "rule-row" }, [select, ...parts, remove]);
    };

    const draw = (focused) => {
      const rows = items.map(drawRow);
      const add = element("button", { type: "button", className: "desk-button", textContent: `Add ${spec.noun === "action" ? "an action" : "a condition"}` });
      add.addEventListener("click", () => {
        items.push({ kind: spec.kinds[0].kind });
        draw(items.length - 1);
      });
      host.replaceChildren(...rows, add);
      if (focused === null) return;
      store();
      (focused < 0 ? add : rows[focused].querySelector("select")).focus();
    };

    draw(null);
    host.hidden = false;
    textarea.hidden = true;
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".rule-rows").forEach(rowsOf));
})();
