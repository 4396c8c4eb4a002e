// What LINE does not know, shown loudly: on a real phone it would be a 400 or a hole in the message.
import { h } from "./dom.js";
import { word } from "./words.js";

/** A warning in the place of a component or message of unknown type. */
export function unknown(node) {
  return h(
    "div",
    { class: "unknown", "data-unknown-component": node?.type ?? "" },
    h("strong", {}, `⚠ ${word("unknown")}`),
    h("code", {}, node?.type === undefined ? word("missingType") : `type: ${node.type}`),
  );
}
