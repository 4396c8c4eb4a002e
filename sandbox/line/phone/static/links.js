// Addresses in messages: which ones may be opened, and finding them in running text.
import { h } from "./dom.js";

const SAFE = /^(https?:\/\/|tel:)/i;
// LINE also makes Japanese telephone numbers tappable.
const IN_TEXT = /https?:\/\/[^\s<>"'「」『』（）、。]+|tel:\+?[\d-]+|(?<![\d-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])/gi;
const TRAILING = /[.,!?:;)\]]+$/;

/** Whether the page opens this address at all. */
export const isSafe = (uri) => SAFE.test(uri ?? "");

/** LIFF addresses open through the sandbox's own stand-in, which only the server knows. */
export const isLiff = (uri) => /^https:\/\/(mini)?liff\.line\.me\//i.test(uri ?? "");

/** Open an address in a new tab, or the dialler. */
export function open(uri) {
  if (!isSafe(uri)) return false;
  link(uri, uri).click();
  return true;
}

/** A link that opens in a new tab; plain content when the address may not be opened. */
export function link(uri, ...children) {
  if (!isSafe(uri)) return h("span", {}, ...children);
  const inDialler = /^tel:/i.test(uri);
  return h("a", { href: uri, rel: "noopener noreferrer", target: inDialler ? null : "_blank" }, ...children);
}

/** The text as nodes, with its addresses and telephone numbers as links. */
export function linkify(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(IN_TEXT)) {
    const found = match[0].replace(TRAILING, "");
    nodes.push(text.slice(end, match.index), link(found.startsWith("0") ? `tel:${found}` : found, found));
    end = match.index + found.length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}
