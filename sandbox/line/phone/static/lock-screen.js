// What a resident sees without opening the chat: sender, two lines of text or altText, sound or not.
import { h, icon, ICONS } from "./dom.js";
import { announcement } from "./messages.js";
import { timeOf } from "./times.js";
import { word } from "./words.js";

const STACK = 5;

export class LockScreen {
  #waiting = [];
  #last = null;
  #closed = false;

  /** `open()` opens the chat, as a tap on a notification does. */
  constructor(open) {
    this.open = open;
    this.bot = { displayName: "" };
    this.muted = false;
    this.list = h("ul", { class: "notices" });
    this.mark = h("span", { class: "lock-mark" });
    this.details = h(
      "details",
      { class: "lock-screen", "data-lock-screen": "", open: true },
      h("summary", {}, icon(...ICONS.lock), h("span", { class: "lock-title" }, word("lockScreen")), this.mark),
      this.list,
    );
    this.#draw();
  }

  /** The newest message of the town; `arrived` when it came in just now. */
  show(entry, { arrived = false } = {}) {
    this.#last = entry;
    if (arrived && this.#closed) this.#waiting.push(entry);
    this.#draw();
  }

  setMuted(muted) {
    this.muted = muted;
    this.#draw();
  }

  /** With the chat closed the notifications pile up; opening it clears them, as on a phone. */
  setClosed(closed) {
    this.#closed = closed;
    this.#waiting = [];
    if (closed) this.details.open = true;
    this.#draw();
  }

  #draw() {
    const shown = this.#closed ? this.#waiting.slice(-STACK).reverse() : [this.#last].filter(Boolean);
    const visible = this.muted ? [] : shown;
    this.mark.replaceChildren(...(this.muted ? soundMark("muted") : []));
    const nothing = h("li", { class: "notice-none" }, word(this.muted ? "lockMuted" : "lockEmpty"));
    this.list.replaceChildren(...(visible.length ? visible.map((entry) => this.#notice(entry)) : [nothing]));
  }

  #notice(entry) {
    const content = [
      h(
        "span",
        { class: "notice-head" },
        h("strong", {}, entry.object.sender?.name ?? this.bot.displayName),
        h("span", { class: "notice-mark" }, soundMark(entry.silent ? "silent" : "sound")),
        h("time", {}, timeOf(entry.at)),
      ),
      h("span", { class: "notice-text" }, announcement(entry.object)),
    ];
    const inside = this.#closed
      ? h("button", { type: "button", on: { click: this.open } }, content)
      : h("div", { class: "notice-still" }, content);
    return h("li", { class: "notice", "data-notice": entry.id }, inside);
  }
}

const soundMark = (kind) => [icon(...(kind === "sound" ? ICONS.sound : ICONS.silent)), h("span", {}, word(kind))];
