// LINE action objects: the controls that carry them.
import { h } from "./dom.js";
import { isSafe, link } from "./links.js";
import { word } from "./words.js";

/**
 * A control for a LINE action: a link for an address that can be opened, else a button. `kind` is the tap
 * reported to the sandbox (tapButton, tapQuickReply, tapMenu); `tap(action, kind, event)` performs it.
 */
export function actionControl(action, { kind = "tapButton", tap, name = null, children = null, ...props }) {
  const content = children ?? [action.label ?? name ?? fallbackName(action)];
  const isLink = action.type === "uri" && isSafe(action.uri);
  const control = isLink ? link(action.uri, ...content) : h("button", { type: "button" }, ...content);
  if (name && children) control.setAttribute("aria-label", name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "dataset") Object.assign(control.dataset, value);
    else control.setAttribute(key, value);
  }
  control.addEventListener("click", (event) => tap(action, kind, event));
  return control;
}

/** Make a whole element tappable without nesting controls: an invisible control is laid over it. */
export function coverWith(element, action, tap) {
  element.classList.add("covered");
  const name = action.label || element.textContent.trim() || element.dataset.name || fallbackName(action);
  element.append(actionControl(action, { tap, name, children: [], class: "cover" }));
  return element;
}

/** What to call an action that came without a label. */
export function fallbackName(action) {
  return action.text ?? action.displayText ?? action.uri ?? action.linkUri ?? word("pick");
}
