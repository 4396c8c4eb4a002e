// The chat log of one phone: messages with times, dates between days, the "typing" sign.
import { h } from "./dom.js";
import { isSpeech, messageBody } from "./messages.js";
import { dayKey, dayOf, timeOf } from "./times.js";
import { word } from "./words.js";

const ABOVE = 6;

export class Chat {
  #entries = new Map();
  #lastDay = null;
  #typing = h("div", { class: "typing", hidden: true, "data-typing": "" }, h("i"), h("i"), h("i"));
  #typingEnds = 0;

  /** `tap` performs actions; `bot` is the account, known once the state has been read. */
  constructor(tap) {
    this.tap = tap;
    this.bot = { displayName: "" };
    this.empty = h("p", { class: "empty" }, word("empty"));
    this.log = h("div", { class: "log", role: "log", tabindex: "0", "data-log": "", "aria-busy": "true" });
    this.log.append(this.empty, this.#typing);
  }

  get entries() {
    return [...this.#entries.values()];
  }

  get last() {
    return this.entries.at(-1) ?? null;
  }

  /**
   * Show the state read from the sandbox; what is already shown stays in place, so nothing is read out twice.
   * Of `droppable`, the entries shown before the state was asked for, go those that it no longer holds. What
   * arrived meanwhile stays: the state may be older.
   */
  load(entries, { droppable }) {
    this.log.setAttribute("aria-busy", "true");
    const given = new Set(entries.map((entry) => entry.id));
    if (droppable.some((entry) => !given.has(entry.id))) {
      const arrived = this.entries.filter((entry) => !droppable.includes(entry));
      this.#clear();
      entries = [...entries, ...arrived];
    }
    for (const entry of entries) this.add(entry);
    this.log.setAttribute("aria-busy", "false");
  }

  /** Append a message; false when it is shown already. */
  add(entry) {
    if (this.#entries.has(entry.id)) return false;
    this.#entries.set(entry.id, entry);
    this.empty.hidden = true;
    if (entry.from === "bot") this.setTyping(0);
    const day = this.#daySeparator(entry.at);
    if (day) this.#typing.before(day);
    this.#typing.before(this.#row(entry));
    this.showEnd();
    return true;
  }

  setTyping(seconds) {
    clearTimeout(this.#typingEnds);
    this.#typing.hidden = seconds === 0;
    this.#typing.setAttribute("aria-label", word("typing"));
    if (seconds > 0) {
      this.#typingEnds = setTimeout(() => this.setTyping(0), seconds * 1000);
      this.showEnd();
    }
  }

  /** Scroll to the end; a newest message taller than the log is shown from its beginning, where it is read. */
  showEnd() {
    const newest = this.log.querySelector("[data-message-id]:last-of-type");
    const isTall = newest && newest.offsetHeight > this.log.clientHeight;
    this.log.scrollTop = isTall && this.#typing.hidden ? newest.offsetTop - ABOVE : this.log.scrollHeight;
  }

  #clear() {
    this.#entries.clear();
    this.#lastDay = null;
    this.empty.hidden = false;
    this.log.replaceChildren(this.empty, this.#typing);
  }

  #daySeparator(at) {
    const key = dayKey(at);
    if (key === this.#lastDay) return null;
    this.#lastDay = key;
    return h("p", { class: "day" }, h("span", {}, dayOf(at)));
  }

  #row(entry) {
    const { object, from } = entry;
    const body = messageBody(object, { tap: this.tap });
    const time = h("time", { datetime: new Date(entry.at).toISOString() }, timeOf(entry.at));
    const name = from === "bot" ? (object.sender?.name ?? this.bot.displayName) : word("fromUser");
    const shape = isSpeech(object) ? "row-speech" : "row-rich";
    // Images and layout change the height after the message was appended.
    const onLoad = () => entry === this.last && this.showEnd();
    for (const image of body.querySelectorAll("img")) image.addEventListener("load", onLoad);
    return h(
      "article",
      { class: `row row-${from} ${shape}`, "data-message-from": from, "data-message-id": entry.id },
      from === "bot" ? h("span", { class: "avatar", "aria-hidden": "true" }, [...name][0] ?? "") : null,
      h(
        "div",
        { class: "row-main" },
        h("p", { class: from === "bot" ? "row-name" : "visually-hidden" }, name),
        h("div", { class: "row-body" }, body, time),
      ),
    );
  }
}
