// The date and time picker of a datetimepicker action.
import { h } from "./dom.js";
import { word } from "./words.js";

const INPUT_TYPES = { date: "date", time: "time", datetime: "datetime-local" };

/** Ask for a date or time; `{date|time|datetime: value}` as LINE's `postback.params`, null when given up. */
export function pickDateTime(action) {
  const mode = action.mode in INPUT_TYPES ? action.mode : "datetime";
  const input = h("input", {
    type: INPUT_TYPES[mode],
    "aria-label": action.label ?? word("pick"),
    value: inputValue(action.initial),
    min: inputValue(action.min),
    max: inputValue(action.max),
    required: true,
  });
  return ask(action.label ?? word("pick"), [input], word("ok")).then((agreed) =>
    agreed && input.value ? { [mode]: input.value } : null,
  );
}

/** A modal question; resolves to whether it was agreed to. Focus returns to where it was. */
export function ask(title, content, agree, style = "") {
  const dialog = h(
    "dialog",
    { class: "ask", "aria-label": title },
    h(
      "form",
      { method: "dialog" },
      h("p", {}, title),
      ...content,
      h(
        "p",
        { class: "ask-buttons" },
        h("button", { value: "no", formnovalidate: true }, word("cancel")),
        h("button", { value: "yes", class: `strong ${style}` }, agree),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

// LINE also writes a lower-case t between date and time.
const inputValue = (value) => value?.replace("t", "T");
