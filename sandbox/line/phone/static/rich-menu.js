// The rich menu: chat bar, image, tappable areas.
import { fallbackName } from "./actions.js";
import { h, icon, ICONS } from "./dom.js";
import { overArea } from "./imagemap.js";
import { word } from "./words.js";

export class RichMenu {
  #menu = null;

  constructor(tap, onToggle) {
    this.tap = tap;
    this.onToggle = onToggle;
    this.bar = h("button", { type: "button", class: "menu-bar", hidden: true, on: { click: () => this.toggle() } });
    this.image = h("div", { class: "menu-image" });
    this.root = h("div", { class: "rich-menu", "data-rich-menu": "", hidden: true }, this.image);
  }

  /** Show a rich menu object with `imageUrl`, or none. The same menu again changes nothing. */
  show(menu) {
    if (menu?.richMenuId === this.#menu?.richMenuId && menu?.imageUrl === this.#menu?.imageUrl) return;
    this.#menu = menu;
    this.root.hidden = this.bar.hidden = !menu;
    this.image.replaceChildren();
    if (!menu) return;
    this.root.dataset.richMenuId = menu.richMenuId ?? "";
    this.#drawAreas(menu);
    this.toggle(menu.selected ?? false);
  }

  toggle(open = this.image.hidden) {
    if (!this.#menu) return;
    this.image.hidden = !open;
    this.bar.setAttribute("aria-expanded", String(open));
    const sign = h("span", { class: "menu-sign", "aria-hidden": "true" }, open ? "▼" : "▲");
    const name = this.#menu.chatBarText || word("menu");
    this.bar.replaceChildren(icon(...ICONS.menu), h("span", { class: "menu-name" }, name), sign);
    this.onToggle();
  }

  /** Outline the areas and print their labels, to check them against the picture. */
  outline(on) {
    this.image.classList.toggle("outlined", on);
  }

  #drawAreas(menu) {
    this.image.style.aspectRatio = `${menu.size.width} / ${menu.size.height}`;
    const picture = h("img", { src: menu.imageUrl, alt: "", class: "picture" });
    // Without its picture the menu has to remain usable: labels take its place.
    picture.addEventListener("error", () => this.image.classList.add("bare"));
    picture.addEventListener("load", () => this.image.classList.remove("bare"));
    this.image.append(picture, ...menu.areas.map((area, index) => this.#area(area, index, menu.size)));
  }

  #area({ bounds, action }, index, size) {
    const name = action.label || fallbackName(action) || word("menuArea", { n: index + 1 });
    const control = h(
      "button",
      { type: "button", class: "area", "aria-label": name, dataset: { richMenuArea: String(index) } },
      h("span", { class: "area-label" }, action.label || `⚠ ${name}`),
    );
    control.addEventListener("click", (event) => this.tap(action, "tapMenu", event));
    return overArea(control, bounds, size);
  }
}
