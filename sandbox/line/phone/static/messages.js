// LINE message objects as they look in a chat, and as they are announced.
import { coverWith } from "./actions.js";
import { h, icon, ICONS } from "./dom.js";
import { flex } from "./flex.js";
import { imagemap } from "./imagemap.js";
import { link, linkify } from "./links.js";
import { picture } from "./picture.js";
import { template } from "./templates.js";
import { unknown } from "./unknown.js";
import { word } from "./words.js";

const RENDERERS = {
  text,
  textV2,
  sticker,
  image,
  video,
  audio,
  location: place,
  imagemap,
  template: (object, context) => template(object.template, context),
  flex: (object, context) => flex(object.contents, context),
};
const NARROW = new Set(["text", "textV2"]);

/** The body of a message. `context.tap` performs its actions. */
export function messageBody(object, context) {
  const render = Object.hasOwn(RENDERERS, object?.type ?? "") ? RENDERERS[object.type] : unknown;
  return render(object, context);
}

/** Whether the message is a speech bubble of running text. */
export const isSpeech = (object) => NARROW.has(object?.type);

/** What a notification says of the message. */
export function announcement(object) {
  const told = { sticker: "Sticker", image: "Image", video: "Video", audio: "Audio", location: "Location" };
  if (object.type === "text") return object.text;
  if (object.type === "textV2") return object.text.replace(/\{\w+\}/g, "");
  return object.altText ?? word(`notify${told[object.type] ?? "Unknown"}`);
}

function text(object) {
  return h("div", { class: "speech" }, linkify(withoutEmoji(object)));
}

/** LINE emoji are `$` in the text; their artwork is LINE's, so a neutral sign stands for them. */
function withoutEmoji({ text: words, emojis = [] }) {
  const places = new Set(emojis.map((emoji) => emoji.index));
  // Indexes count UTF-16 units, so the string must not be walked by code point.
  return words.split("").map((unit, index) => (places.has(index) && unit === "$" ? "☺" : unit)).join("");
}

function textV2({ text: words, substitution = {} }) {
  const filled = words.replace(/\{(\w+)\}/g, (place, key) => {
    if (substitution[key]?.type === "emoji") return "☺";
    return substitution[key]?.type === "mention" ? "@…" : place;
  });
  return h("div", { class: "speech" }, linkify(filled));
}

function sticker(object) {
  return h(
    "div",
    { class: "sticker" },
    h("span", { "aria-hidden": "true" }, "☺"),
    h("span", {}, word("sticker")),
    h("small", {}, `${object.packageId ?? "–"} / ${object.stickerId ?? "–"}`),
  );
}

function image(object) {
  const preview = object.previewImageUrl ?? object.originalContentUrl;
  const shown = picture(preview, { alt: word("image"), fit: "natural" });
  return object.originalContentUrl ? withClass(link(object.originalContentUrl, shown), "photo") : shown;
}

function video(object) {
  const poster = h("div", { class: "poster" }, picture(object.previewImageUrl, { fit: "cover" }), icon(...ICONS.play));
  return coverWith(poster, { type: "uri", uri: object.originalContentUrl, label: word("video") }, () => {});
}

function audio(object) {
  const seconds = word("seconds", { n: Math.round((object.duration ?? 0) / 1000) });
  const parts = [icon(...ICONS.play), `${word("audio")} (${seconds})`];
  return h("div", { class: "speech" }, withClass(link(object.originalContentUrl, ...parts), "audio"));
}

function place(object) {
  const at = `${object.latitude},${object.longitude}`;
  return h(
    "div",
    { class: "place" },
    icon(...ICONS.pin),
    h("strong", {}, object.title ?? ""),
    h("p", {}, object.address ?? ""),
    link(`https://www.openstreetmap.org/?mlat=${object.latitude}&mlon=${object.longitude}#map=16/${at.replace(",", "/")}`, word("map")),
    h("small", {}, at),
  );
}

function withClass(element, name) {
  element.classList.add(name);
  return element;
}
