// Images of messages: they lie on the town's server and may be missing.
import { h } from "./dom.js";
import { word } from "./words.js";

/** An image that fills its frame; when it cannot be had, a note with its file name stands there instead. */
export function picture(url, { alt = "", fit = "cover" } = {}) {
  if (!/^https?:\/\//i.test(url ?? "") && !url?.startsWith("/")) return broken(url);
  const image = h("img", { src: url, alt, class: `picture picture-${fit}`, referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(broken(url)));
  return image;
}

function broken(url) {
  const name = (url ?? "").split(/[?#]/)[0].split("/").pop();
  return h("span", { class: "picture-broken", title: url }, word("imageBroken"), h("small", {}, name));
}
