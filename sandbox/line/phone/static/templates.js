// Template messages: buttons, confirm, carousel, image carousel.
import { actionControl, coverWith } from "./actions.js";
import { h } from "./dom.js";
import { aspectRatio, color } from "./flex-units.js";
import { picture } from "./picture.js";
import { unknown } from "./unknown.js";
import { word } from "./words.js";

const RENDERERS = { buttons: card, confirm, carousel, image_carousel: imageCarousel };

/** The `template` of a template message. */
export function template(node, context) {
  const render = Object.hasOwn(RENDERERS, node?.type ?? "") ? RENDERERS[node.type] : unknown;
  return render(node, context);
}

function card(node, { tap }, frame = node) {
  const head = h(
    "div",
    { class: "tp-head" },
    node.thumbnailImageUrl ? thumbnail(node, frame) : null,
    h("div", { class: "tp-words" }, node.title ? h("strong", {}, node.title) : null, h("p", {}, node.text ?? "")),
  );
  return h(
    "div",
    { class: "tp-card" },
    node.defaultAction ? coverWith(head, node.defaultAction, tap) : head,
    h("div", { class: "tp-actions" }, buttons(node.actions, tap)),
  );
}

function thumbnail(node, frame) {
  return h(
    "div",
    {
      class: "tp-image",
      style: {
        aspectRatio: aspectRatio(frame.imageAspectRatio === "square" ? "1:1" : "1.51:1"),
        backgroundColor: color(node.imageBackgroundColor),
      },
    },
    picture(node.thumbnailImageUrl, { fit: frame.imageSize === "contain" ? "contain" : "cover" }),
  );
}

const buttons = (actions, tap) =>
  (actions ?? []).map((action) => actionControl(action, { tap, class: "tp-button" }));

function confirm(node, { tap }) {
  return h(
    "div",
    { class: "tp-card" },
    h("div", { class: "tp-words" }, h("p", {}, node.text ?? "")),
    h("div", { class: "tp-actions tp-pair" }, buttons(node.actions, tap)),
  );
}

function carousel(node, context) {
  return strip((node.columns ?? []).map((column) => card(column, context, node)));
}

function imageCarousel(node, { tap }) {
  const tiles = (node.columns ?? []).map((column) => {
    const label = column.action?.label;
    const tile = h(
      "div",
      { class: "tp-tile" },
      picture(column.imageUrl, { alt: label ?? "" }),
      label ? h("span", { class: "tp-tile-label" }, label) : null,
    );
    return column.action ? coverWith(tile, column.action, tap) : tile;
  });
  return strip(tiles);
}

function strip(cards) {
  const name = word("carousel", { n: cards.length });
  return h("div", { class: "carousel", role: "group", tabindex: "0", "aria-label": name }, cards);
}
