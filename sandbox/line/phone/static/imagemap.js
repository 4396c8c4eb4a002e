// Imagemap messages, and areas laid over an image in general (rich menus use them too).
import { actionControl, fallbackName } from "./actions.js";
import { h } from "./dom.js";
import { picture } from "./picture.js";

/** An imagemap: the 1040 px image with a control over each area. */
export function imagemap(object, { tap }) {
  const { width, height } = object.baseSize ?? { width: 1040, height: 1040 };
  const frame = h(
    "div",
    { class: "imagemap", style: { aspectRatio: `${width} / ${height}` } },
    picture(`${object.baseUrl}/1040`, { alt: object.altText ?? "", fit: "cover" }),
  );
  for (const each of object.actions ?? []) {
    const action = each.linkUri ? { ...each, uri: each.linkUri } : each;
    const control = actionControl(action, { tap, name: each.label ?? fallbackName(action), children: [], class: "area" });
    frame.append(overArea(control, each.area, { width, height }));
  }
  return frame;
}

/** Lay `control` over `area` (x, y, width, height) of an image of `size`. */
export function overArea(control, area, size) {
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  control.style.left = percent(area.x, size.width);
  control.style.top = percent(area.y, size.height);
  control.style.width = percent(area.width, size.width);
  control.style.height = percent(area.height, size.height);
  return control;
}
