// Where a Flex component stands inside its box: weight, distance, gravity, fixed offsets.
import { setStyle } from "./dom.js";
import { alignment, spacing } from "./flex-units.js";

const FIXED = new Set(["separator", "spacer", "icon"]);

/** Place `element` of component `node` as number `index` in `box`. */
export function place(element, node, box, index) {
  const layout = box.layout ?? "vertical";
  setStyle(element, { flex: weight(node, layout), minWidth: "0" });
  if (node.position === "absolute") return setStyle(element, { position: "absolute", ...offsets(node) });
  if (hasOffset(node)) setStyle(element, { position: "relative", ...offsets(node) });
  if (index > 0) {
    const distance = spacing(node.margin) ?? spacing(box.spacing);
    setStyle(element, { [layout === "vertical" ? "marginTop" : "marginLeft"]: distance });
  }
  return setGravity(element, node, layout);
}

function weight(node, layout) {
  if (FIXED.has(node.type)) return "0 0 auto";
  if (typeof node.flex === "number") return node.flex === 0 ? "0 0 auto" : `${node.flex} 0 0px`;
  if (node.type === "filler") return "1 0 0px";
  const fixedWidth = layout === "vertical" ? node.height : node.width;
  return layout === "vertical" || fixedWidth ? "0 0 auto" : "1 0 0px";
}

function setGravity(element, node, layout) {
  const gravity = alignment(node.gravity);
  if (layout === "horizontal" && gravity) setStyle(element, { alignSelf: gravity });
  if (layout === "vertical" && gravity && node.flex) {
    setStyle(element, { display: "flex", flexDirection: "column", justifyContent: gravity });
  }
  return element;
}

const hasOffset = (node) => ["offsetTop", "offsetBottom", "offsetStart", "offsetEnd"].some((name) => node[name]);

const offsets = (node) => ({
  top: spacing(node.offsetTop),
  bottom: spacing(node.offsetBottom),
  left: spacing(node.offsetStart),
  right: spacing(node.offsetEnd),
});
