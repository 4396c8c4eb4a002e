// One phone: it owns the parts of the screen and what the resident can do with them.
import * as api from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Controls } from "./controls.js";
import { h, icon, ICONS } from "./dom.js";
import { Inspector } from "./inspector.js";
import { LockScreen } from "./lock-screen.js";
import { QuickReplies } from "./quick-replies.js";
import { RichMenu } from "./rich-menu.js";
import { tapsOf } from "./taps.js";
import { word } from "./words.js";

const SAID_SECONDS = 12;
const FRIENDS = ["friend", "noConsent"];

export class Phone {
  #user = null;
  #unread = 0;
  #saidUntil = 0;
  #closed = false;
  #offline = false;
  #held = [];

  constructor(userId) {
    this.userId = userId;
    const tap = tapsOf(this);
    this.chat = new Chat(tap);
    this.replies = new QuickReplies(tap);
    this.menu = new RichMenu(tap, () => this.chat.showEnd());
    this.composer = new Composer((text) => this.#do(() => this.send("text", { text })));
    this.lock = new LockScreen(() => this.setClosed(false));
    this.inspector = new Inspector();
    this.controls = new Controls({
      act: (type) => this.#actOnAccount(() => this.send(type)),
      change: (changes) => this.#actOnAccount(() => api.changeUser(userId, changes)),
      setOffline: (on) => this.setOffline(on),
      outline: (on) => this.menu.outline(on),
    });
    this.#build();
  }

  /**
   * Read the state from the sandbox and show it. `anew` also drops messages that it no longer holds, as after
   * a reset; otherwise they stay, because a sandbox under load keeps no chats.
   */
  async load({ anew = false } = {}) {
    if (this.#offline) return;
    const droppable = anew ? this.chat.entries : [];
    try {
      const state = await api.getState(this.userId);
      this.#showBot(state.bot);
      this.#showUser(state.user);
      this.chat.load(state.messages, { droppable });
      this.#unread = state.unread ?? 0;
      this.menu.show(state.richMenu);
      this.#showMessages();
      if (!this.#closed) this.#read();
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.#user ?? this.root.replaceChildren(h("p", { class: "missing" }, word("notFound"), h("code", {}, this.userId)));
    }
  }

  /** An event of this phone's stream. */
  receive(name, data) {
    if (this.#offline) return void this.#held.push([name, data]);
    if (name === "message") this.#receiveMessage(data);
    if (name === "user") this.#showUser({ ...this.#user, ...data });
    if (name === "richMenu") this.menu.show(data);
    if (name === "typing" && !this.#closed) this.chat.setTyping(data.seconds);
  }

  /** Do something as this resident; the sandbox's answer. */
  async send(type, details = {}) {
    if (this.#offline) throw new api.Refused(word("offlineNow"));
    return api.act(this.userId, type, details);
  }

  /** A short word to the person at the phone. */
  say(text) {
    this.status.textContent = text;
    clearTimeout(this.#saidUntil);
    this.#saidUntil = setTimeout(() => (this.status.textContent = ""), SAID_SECONDS * 1000);
  }

  fillIn(text) {
    this.composer.fillIn(text);
  }

  toggleMenu(open) {
    this.menu.toggle(open);
  }

  replyTaken() {
    const hadFocus = this.replies.row.contains(document.activeElement);
    this.replies.take();
    // The focused button is gone; the log is where the answer appears.
    if (hadFocus) this.chat.log.focus();
  }

  /** Airplane mode: what comes in waits until it ends, as it does at the platform. */
  setOffline(offline) {
    this.#offline = offline;
    this.device.dataset.airplane = String(offline);
    for (const [name, data] of this.#held.splice(0)) this.receive(name, data);
    void this.load();
  }

  /** Close the chat (notifications appear on the lock screen) or open it again. */
  setClosed(closed) {
    this.#closed = closed;
    this.device.dataset.view = closed ? "home" : "chat";
    this.home.hidden = !closed;
    this.talk.hidden = closed;
    this.lock.setClosed(closed);
    if (!closed) this.#read();
    this.#showUnread();
    (closed ? this.openButton : this.chat.log).focus();
    this.chat.showEnd();
  }

  #build() {
    this.status = h("p", { class: "status", role: "status", "data-status": "" });
    this.botName = h("strong", { class: "bot-name" });
    this.botId = h("small", {});
    this.botAvatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.note = h("p", { class: "note", "data-note": "", hidden: true });
    this.badge = h("span", { class: "badge", hidden: true });
    this.openButton = h(
      "button",
      { type: "button", class: "open-chat", "data-control": "open-chat", on: { click: () => this.setClosed(false) } },
      icon(...ICONS.chat),
      word("openChat"),
      this.badge,
    );
    this.home = h("div", { class: "home", hidden: true }, this.openButton);
    this.talk = h(
      "div",
      { class: "talk" },
      this.#head(),
      this.chat.log,
      this.replies.row,
      this.note,
      h("div", { class: "bottom-bar" }, this.menu.bar, this.composer.form),
      this.menu.root,
    );
    this.device = h("div", { class: "device", "data-view": "chat" }, this.lock.details, this.home, this.talk, this.status);
    this.root = h("section", { class: "phone", "data-phone": this.userId }, this.controls.bar, this.device, this.inspector.details);
  }

  #head() {
    const close = h(
      "button",
      { type: "button", class: "quiet", "data-control": "close-chat", "aria-label": word("goHome"), title: word("goHome"), on: { click: () => this.setClosed(true) } },
      icon(...ICONS.close),
    );
    return h("div", { class: "talk-head" }, this.botAvatar, h("span", { class: "bot" }, this.botName, this.botId), close);
  }

  #showBot(bot) {
    this.chat.bot = bot;
    this.lock.bot = bot;
    this.botName.textContent = bot.displayName;
    this.botId.textContent = bot.basicId ?? "";
    this.botAvatar.textContent = [...bot.displayName][0] ?? "";
    this.chat.log.setAttribute("aria-label", word("log", { name: bot.displayName }));
  }

  #showUser(user) {
    this.#user = user;
    this.controls.show(user);
    this.root.setAttribute("aria-label", word("phoneOf", { name: user.displayName }));
    if (/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(user.language ?? "")) this.chat.log.lang = user.language;
    // Writing is possible without being a friend, only not while blocking.
    this.composer.setEnabled(!["blocked", "deleted"].includes(user.state));
    this.note.hidden = user.state === "friend";
    if (!this.note.hidden) this.note.textContent = word(`note${user.state[0].toUpperCase()}${user.state.slice(1)}`);
    this.lock.setMuted(Boolean(user.muted));
  }

  #receiveMessage(entry) {
    if (!this.chat.add(entry)) return;
    if (entry.from === "bot") {
      if (this.#closed) this.#unread += 1;
      else this.#read();
    }
    this.#showMessages({ arrived: entry.from === "bot" });
  }

  #showMessages(how = {}) {
    const fromTown = this.chat.entries.filter((entry) => entry.from === "bot");
    this.replies.show(this.chat.last);
    this.lock.show(fromTown.at(-1) ?? null, how);
    this.inspector.show(this.chat.entries);
    this.#showUnread();
    this.chat.showEnd();
  }

  #showUnread() {
    this.badge.hidden = this.#unread === 0;
    this.badge.textContent = word("unread", { n: this.#unread });
  }

  // Reading is told to the sandbox, which counts it for its statistics; when it refuses, nothing is lost.
  #read() {
    this.#unread = 0;
    if (FRIENDS.includes(this.#user?.state)) this.send("openChat").catch(() => {});
  }

  async #actOnAccount(act) {
    const button = document.activeElement;
    if (await this.#do(act)) await this.load();
    else this.#showUser(this.#user);
    if (button?.hidden) this.chat.log.focus();
  }

  async #do(act) {
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      this.say(word("refused", { message: error.message }));
      return false;
    }
  }
}
