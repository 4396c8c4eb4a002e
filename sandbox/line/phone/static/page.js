// Entry of both pages: puts the phones on show and keeps them up to date.
import { getUsers, listen } from "./api.js";
import { chooser } from "./chooser.js";
import { Phone } from "./phone.js";
import { word } from "./words.js";

const FIRST = 3;

async function start() {
  const asked = document.body.dataset.ids.split(",").filter(Boolean);
  const root = document.querySelector("[data-chooser]");
  const ids = asked.length ? asked : (await getUsers("", FIRST)).users.slice(0, FIRST).map((user) => user.userId);
  if (root) void chooser(root, ids);
  if (ids.length) showPhones(ids);
}

function showPhones(ids) {
  const phones = new Map(ids.map((id) => [id, new Phone(id)]));
  document.querySelector("[data-phones]").append(...[...phones.values()].map((phone) => phone.root));
  const offline = document.querySelector("[data-offline]");
  const loadAll = () => Promise.all([...phones.values()].map((phone) => phone.load({ anew: true })));
  void loadAll();
  listen(ids, {
    // Whatever happened while the stream was down is in the state.
    onReady: () => {
      offline.textContent = "";
      void loadAll();
    },
    onEvent: (userId, name, data) => phones.get(userId)?.receive(name, data),
    onLost: () => (offline.textContent = word("serverGone")),
  });
}

void start();
