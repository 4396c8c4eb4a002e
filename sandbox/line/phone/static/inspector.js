// The drawer that shows what a message is made of.
import { faint, lengths, unlabelled } from "./checks.js";
import { h } from "./dom.js";
import { announcement } from "./messages.js";
import { timeOf } from "./times.js";
import { word } from "./words.js";

const CHOICES = 50;

export class Inspector {
  #entries = [];

  constructor() {
    this.choice = h("select", { on: { change: () => this.#draw() } });
    this.content = h("div", { class: "inspected" });
    this.details = h(
      "details",
      { class: "inspector", "data-inspector": "", on: { toggle: () => this.#draw() } },
      h("summary", {}, word("inspector")),
      h("label", {}, word("inspected"), this.choice),
      this.content,
    );
  }

  /** Offer the messages of the chat, the newest first; the newest is followed until another is chosen. */
  show(entries) {
    const chosen = this.choice.value;
    this.#entries = entries.slice(-CHOICES).reverse();
    this.choice.replaceChildren(
      h("option", { value: "" }, word("latest")),
      ...this.#entries.map((entry) => h("option", { value: entry.id, selected: entry.id === chosen }, title(entry))),
    );
    this.#draw();
  }

  #draw() {
    if (!this.details.open) return;
    const entry = this.#entries.find(({ id }) => id === this.choice.value) ?? this.#entries[0];
    this.content.replaceChildren(...(entry ? parts(entry) : [h("p", {}, word("empty"))]));
  }
}

const title = (entry) =>
  `${timeOf(entry.at)} ${word(entry.from === "bot" ? "fromBot" : "fromUser")} ${announcement(entry.object).slice(0, 30)}`;

function parts(entry) {
  const counted = lengths(entry.object);
  return [facts(entry), findings(entry.object, counted), counted.length ? table(counted) : null, raw(entry)].filter(Boolean);
}

function facts(entry) {
  const rows = [
    [word("requestId"), entry.requestId ?? word("none")],
    [word("kind"), entry.deliveryKind ?? word("none")],
    [word("notification"), word(entry.silent ? "silent" : "sound")],
  ];
  if (entry.object.altText) rows.push([word("firstForty"), entry.object.altText.slice(0, 40)]);
  return h("dl", {}, rows.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

function findings(object, counted) {
  const found = [
    ...counted.filter(isOver).map(({ path, units, limit }) => word("overLimit", { path, n: units, limit })),
    ...unlabelled(object).map((path) => word("noLabel", { path })),
    ...faint(object).map(({ path, ratio }) => word("contrast", { path, ratio })),
  ];
  const list = found.length ? h("ul", {}, found.map((line) => h("li", {}, `⚠ ${line}`))) : h("p", {}, word("noFindings"));
  return h("section", {}, h("h4", {}, word("findings")), list);
}

const isOver = ({ units, limit }) => limit !== null && units > limit;

function table(counted) {
  const head = ["place", "units", "graphemes", "limit"].map((key) => h("th", { scope: "col" }, word(key)));
  const rows = counted.map((row) =>
    h(
      "tr",
      { class: isOver(row) ? "over" : null },
      h("th", { scope: "row" }, row.path),
      h("td", {}, row.units),
      h("td", {}, row.graphemes),
      h("td", {}, row.limit === null ? "–" : `${row.limit}${isOver(row) ? ` (${word("over")})` : ""}`),
    ),
  );
  return h(
    "div",
    { class: "table-frame" },
    h("table", {}, h("caption", {}, word("counters")), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

const raw = (entry) =>
  h("section", {}, h("h4", {}, word("raw")), h("pre", { tabindex: "0" }, JSON.stringify(entry.object, null, 2)));
