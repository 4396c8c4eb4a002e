// The text box under the chat.
import { h, icon, ICONS } from "./dom.js";
import { word } from "./words.js";

export class Composer {
  /** `send(text)` resolves to whether the text was taken. */
  constructor(send) {
    this.send = send;
    this.input = h("textarea", { rows: "1", "aria-label": word("message"), placeholder: word("messageHint"), maxlength: "5000" });
    const button = h("button", { class: "send", "data-control": "text-send", "aria-label": word("send") }, icon(...ICONS.send));
    this.fields = h("fieldset", {}, this.input, button);
    this.form = h("form", { class: "composer" }, this.fields);
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.input.addEventListener("keydown", (event) => this.#enter(event));
  }

  setEnabled(enabled) {
    this.fields.disabled = !enabled;
  }

  /** Put text into the box, ready to be changed and sent. */
  fillIn(text) {
    this.input.value = text;
    this.input.focus();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (text && (await this.send(text))) this.input.value = "";
  }

  #enter(event) {
    // While a Japanese input method composes, Enter chooses a conversion.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }
}
