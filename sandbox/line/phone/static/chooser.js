// Choosing the residents whose phones are on show, and making new ones.
import * as api from "./api.js";
import { h } from "./dom.js";
import { lang, stateWord, word } from "./words.js";

export const MOST = 12;
const TYPING_PAUSE_MS = 250;

/** Fill the chooser; `chosen` are the ids on show. */
export function chooser(root, chosen) {
  const marked = new Set(chosen);
  const total = h("p", { class: "chooser-total", role: "status" });
  const list = h("ul", { class: "chooser-list" });
  const show = h("button", { class: "strong" }, word("show"));
  const form = h("form", { class: "chooser-form" }, list, show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    goTo([...marked]);
  });
  const draw = async (query) => {
    const { users, total: count } = await api.getUsers(query);
    total.textContent = users.length ? word("total", { n: count }) : word("nobody");
    list.replaceChildren(...users.map((user) => row(user, marked, mark)));
  };
  const mark = () => {
    show.disabled = marked.size === 0 || marked.size > MOST;
    if (marked.size > MOST) total.textContent = word("tooMany");
  };
  root.append(h("div", { class: "chooser-tools" }, searchBox(draw), newResident([...chosen])), total, form);
  mark();
  return draw("");
}

function row(user, marked, onChange) {
  const box = h("input", { type: "checkbox", value: user.userId, checked: marked.has(user.userId) });
  box.addEventListener("change", () => {
    if (box.checked) marked.add(user.userId);
    else marked.delete(user.userId);
    onChange();
  });
  return h(
    "li",
    {},
    h("label", {}, box, h("span", { class: "chooser-name" }, user.displayName)),
    h("span", { class: "pill", "data-state": user.state }, stateWord(user.state)),
    h("span", { class: "chooser-language" }, user.language ?? ""),
    user.unread ? h("span", { class: "badge" }, word("unread", { n: user.unread })) : null,
    h(
      "a",
      { href: `/_sandbox/phone/${encodeURIComponent(user.userId)}?lang=${lang}`, "aria-label": `${word("alone")}: ${user.displayName}` },
      word("alone"),
    ),
  );
}

function searchBox(draw) {
  const input = h("input", { type: "search", "aria-label": word("search"), placeholder: word("search") });
  let pause = 0;
  input.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => draw(input.value.trim()), TYPING_PAUSE_MS);
  });
  return input;
}

function newResident(chosen) {
  const name = h("input", { type: "text", maxlength: "20", "aria-label": word("newName"), placeholder: word("newName") });
  const language = h("select", { "aria-label": word("language") }, ["ja", "en", "vi", "zh", "pt"].map((code) => h("option", {}, code)));
  const form = h(
    "form",
    { class: "new-resident" },
    name,
    language,
    h("button", { "data-control": "new-resident" }, word("newResident")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const userId = newUserId();
    await api.createUser(userId, name.value.trim() || `${word("newDefault")} ${userId.slice(1, 4)}`, language.value);
    goTo([userId, ...chosen].slice(0, MOST));
  });
  return form;
}

function newUserId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `U${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function goTo(userIds) {
  location.assign(`/_sandbox/phones?ids=${userIds.map(encodeURIComponent).join(",")}&lang=${lang}`);
}
