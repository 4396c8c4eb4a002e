// What the resident does to the account rather than in the chat: add, block, mute, language, delete.
import { ask } from "./picker.js";
import { h } from "./dom.js";
import { stateWord, word } from "./words.js";

const LANGUAGES = ["ja", "en", "zh", "ko", "vi", "pt", "ne", "id", "tl"];
const PRIMARY = { follow: ["none"], block: ["friend", "noConsent"], unblock: ["blocked"] };

export class Controls {
  #buttons = {};

  /** `does` offers `act(type)`, `change(changes)`, `setOffline(on)`, `outline(on)`; each reports its own errors. */
  constructor(does) {
    this.does = does;
    this.name = h("h3", { class: "resident-name" });
    this.pill = h("span", { class: "pill", "data-state": "" });
    for (const type of Object.keys(PRIMARY)) this.#buttons[type] = this.#button(type, () => does.act(type));
    this.mute = h("input", { type: "checkbox", "data-control": "mute", on: { change: (e) => does.change({ muted: e.target.checked }) } });
    this.languages = h("select", { "data-control": "language", on: { change: (e) => does.change({ language: e.target.value }) } });
    this.delete = this.#button("deleteAccount", () => this.#delete());
    this.bar = h(
      "header",
      { class: "resident" },
      h("div", { class: "resident-who" }, this.name, this.pill),
      Object.values(this.#buttons),
      this.#more(),
    );
  }

  show(user) {
    this.user = user;
    this.name.textContent = user.displayName;
    this.pill.textContent = stateWord(user.state);
    this.pill.dataset.state = user.state;
    this.mute.checked = Boolean(user.muted);
    this.#showLanguage(user);
    for (const [type, states] of Object.entries(PRIMARY)) this.#buttons[type].hidden = !states.includes(user.state);
    this.delete.disabled = user.state === "deleted";
  }

  // Left alone while nothing changed: an open list must not be rebuilt under the hand.
  #showLanguage(user) {
    if (this.languages.value === user.language) return;
    const known = [...new Set([...LANGUAGES, user.language].filter(Boolean))];
    this.languages.replaceChildren(...known.map((code) => h("option", { value: code, selected: code === user.language }, code)));
  }

  #button(type, does) {
    return h("button", { type: "button", class: `control control-${type}`, "data-control": type, on: { click: does } }, word(type));
  }

  #more() {
    const outline = h("input", { type: "checkbox", on: { change: (event) => this.does.outline(event.target.checked) } });
    const airplane = h("input", { type: "checkbox", "data-control": "airplane", on: { change: (event) => this.does.setOffline(event.target.checked) } });
    const panel = h(
      "div",
      { class: "more-panel" },
      h("label", {}, this.mute, word("mute")),
      h("label", {}, airplane, word("airplane")),
      h("label", {}, outline, word("areas")),
      h("label", {}, word("language"), this.languages),
      this.delete,
    );
    const details = h("details", { class: "more" }, h("summary", { "data-control": "more" }, word("more")), panel);
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      details.querySelector("summary").focus();
    });
    details.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
    });
    return details;
  }

  async #delete() {
    const agreed = await ask(word("deleteAsk", { name: this.user.displayName }), [], word("delete"), "danger");
    if (agreed) await this.does.act("deleteAccount");
  }
}
