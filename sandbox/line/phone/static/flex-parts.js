// The components of Flex messages that contain no other components.
import { actionControl, coverWith } from "./actions.js";
import { h, setStyle } from "./dom.js";
import { alignment, aspectRatio, color, imageWidth, spacing, textSize } from "./flex-units.js";
import { picture } from "./picture.js";
import { word } from "./words.js";

const DECORATIONS = new Set(["underline", "line-through"]);

export function text(node, { tap }) {
  const parts = node.contents?.length ? node.contents.map(span) : [node.text ?? ""];
  const line = h("span", { class: node.wrap ? "fx-line fx-wrap" : "fx-line", style: textStyle(node) }, ...parts);
  setStyle(line, { textAlign: node.align, lineHeight: lineHeight(node) });
  if (node.wrap && node.maxLines > 0) {
    line.classList.add("fx-clamp");
    line.style.webkitLineClamp = node.maxLines;
  }
  const element = h("div", { class: "fx-text" }, line);
  return node.action ? coverWith(element, node.action, tap) : element;
}

export function span(node) {
  const element = h("span", { style: textStyle({ ...node, size: node.size ?? null }) }, node.text ?? "");
  if (!node.size) element.style.fontSize = "";
  return element;
}

function textStyle(node) {
  return {
    fontSize: node.size === null ? null : (textSize(node.size) ?? textSize("md")),
    fontWeight: node.weight === "bold" ? "700" : null,
    fontStyle: node.style === "italic" ? "italic" : null,
    color: color(node.color),
    textDecoration: DECORATIONS.has(node.decoration) ? node.decoration : null,
  };
}

const lineHeight = (node) =>
  node.lineSpacing && spacing(node.lineSpacing) ? `calc(1.35em + ${spacing(node.lineSpacing)})` : null;

export function button(node, { tap }) {
  const style = ["primary", "secondary"].includes(node.style) ? node.style : "link";
  const control = actionControl(node.action ?? {}, { tap, class: `fx-button fx-${style}` });
  if (node.height === "sm") control.classList.add("fx-low");
  const given = color(node.color);
  if (given) setStyle(control, style === "link" ? { color: given } : { backgroundColor: given });
  return h("div", { class: "fx-button-slot" }, control);
}

export function image(node, { tap }) {
  const frame = h(
    "div",
    {
      class: "fx-frame",
      style: {
        width: imageWidth(node.size),
        aspectRatio: aspectRatio(node.aspectRatio),
        backgroundColor: color(node.backgroundColor),
      },
    },
    picture(node.url, { fit: node.aspectMode === "cover" ? "cover" : "contain" }),
  );
  const element = h("div", { class: "fx-image", style: { justifyContent: alignment(node.align) ?? "center" } }, frame);
  element.dataset.name = word("image");
  return node.action ? coverWith(element, node.action, tap) : element;
}

export function video(node, context) {
  const poster = image({ url: node.previewUrl, size: "full", aspectRatio: node.aspectRatio ?? "16:9", aspectMode: "cover" }, context);
  return coverWith(poster, node.action ?? { type: "uri", uri: node.url, label: word("video") }, context.tap);
}

export function icon(node) {
  const size = textSize(node.size) ?? textSize("md");
  const frame = h("span", { class: "fx-icon", style: { height: size, aspectRatio: aspectRatio(node.aspectRatio) } });
  frame.append(picture(node.url, { fit: "contain" }));
  return frame;
}

export function separator(node) {
  return h("div", { class: "fx-separator", style: { backgroundColor: color(node.color) } });
}

export function spacer(node) {
  const size = spacing(node.size) ?? spacing("md");
  return h("div", { style: { width: size, height: size } });
}

export const filler = () => h("div", { class: "fx-filler" });
