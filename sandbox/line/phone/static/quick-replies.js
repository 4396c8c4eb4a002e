// The quick-reply row under the newest message.
import { actionControl } from "./actions.js";
import { h } from "./dom.js";
import { picture } from "./picture.js";
import { word } from "./words.js";

export class QuickReplies {
  #taken = new Set();
  #shown = null;

  constructor(tap) {
    this.tap = tap;
    this.row = h("ul", { class: "quick-replies", "aria-label": word("quickReplies"), hidden: true });
  }

  /** LINE shows the buttons of the very last message only, and drops them once one was tapped. */
  show(last) {
    const items = last?.from === "bot" && !this.#taken.has(last.id) ? (last.object.quickReply?.items ?? []) : [];
    if (last?.id === this.#shown && items.length === this.row.childElementCount) return;
    this.#shown = last?.id;
    this.row.replaceChildren(...items.map((item) => h("li", {}, this.#button(item))));
    this.row.hidden = items.length === 0;
  }

  /** The resident has answered the row on show. */
  take() {
    this.#taken.add(this.#shown);
    this.row.replaceChildren();
    this.row.hidden = true;
  }

  #button({ action, imageUrl }) {
    const children = [imageUrl ? picture(imageUrl) : null, action.label ?? ""].filter(Boolean);
    return actionControl(action, {
      kind: "tapQuickReply",
      tap: this.tap,
      children,
      dataset: { quickReply: "" },
    });
  }
}
