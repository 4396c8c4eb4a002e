// Flex messages: bubbles, carousels and boxes.
import { coverWith } from "./actions.js";
import { h, setStyle } from "./dom.js";
import * as parts from "./flex-parts.js";
import { place } from "./flex-place.js";
import { alignment, blockPadding, border, bubbleWidth, color, gradient, spacing } from "./flex-units.js";
import { unknown } from "./unknown.js";
import { word } from "./words.js";

const { text, button, image, video, icon, separator, spacer, filler } = parts;
const RENDERERS = { box, text, button, image, video, icon, separator, spacer, filler };
const BLOCKS = ["header", "hero", "body", "footer"];

/** The contents of a Flex message. `context.tap` performs actions. */
export function flex(contents, context) {
  if (contents?.type === "bubble") return bubble(contents, context);
  if (contents?.type === "carousel") return carousel(contents, context);
  return unknown(contents);
}

function carousel(node, context) {
  const bubbles = node.contents ?? [];
  return h(
    "div",
    { class: "carousel", role: "group", tabindex: "0", "aria-label": word("carousel", { n: bubbles.length }) },
    bubbles.map((each) => flex(each, context)),
  );
}

function bubble(node, context) {
  const element = h("div", {
    class: "fx-bubble",
    dir: node.direction === "rtl" ? "rtl" : null,
    style: { width: `${bubbleWidth(node.size)}px` },
  });
  for (const name of BLOCKS.filter((each) => node[each])) {
    const style = node.styles?.[name] ?? {};
    if (style.separator) element.append(parts.separator({ color: style.separatorColor }));
    element.append(block(name, node, style, context));
  }
  return node.action ? coverWith(element, node.action, context.tap) : element;
}

function block(name, bubbleNode, style, context) {
  const node = bubbleNode[name];
  const element = component(node, context);
  element.classList.add("fx-block", `fx-${name}`);
  if (name !== "hero" && !node.paddingAll) {
    setStyle(element, { padding: `${name === "footer" ? 10 : blockPadding(bubbleNode.size)}px`, ...paddings(node) });
  }
  return setStyle(element, { backgroundColor: color(node.backgroundColor) ?? color(style.backgroundColor) });
}

function component(node, context) {
  const render = Object.hasOwn(RENDERERS, node?.type ?? "") ? RENDERERS[node.type] : unknown;
  return render(node, context);
}

function box(node, context) {
  const layout = ["horizontal", "baseline"].includes(node.layout) ? node.layout : "vertical";
  const children = (node.contents ?? []).map((child, index) => place(component(child, context), child, node, index));
  const element = h("div", { class: `fx-box fx-${layout}`, style: boxStyle(node) }, children);
  return node.action ? coverWith(element, node.action, context.tap) : element;
}

function boxStyle(node) {
  const width = border(node.borderWidth);
  return {
    width: spacing(node.width),
    height: spacing(node.height),
    maxWidth: spacing(node.maxWidth),
    maxHeight: spacing(node.maxHeight),
    backgroundColor: color(node.backgroundColor),
    backgroundImage: gradient(node.background),
    borderRadius: spacing(node.cornerRadius),
    border: width ? `${width} solid ${color(node.borderColor) ?? "#d4d6da"}` : null,
    justifyContent: alignment(node.justifyContent),
    alignItems: alignment(node.alignItems),
    ...paddings(node),
  };
}

function paddings(node) {
  const all = spacing(node.paddingAll);
  return {
    paddingTop: spacing(node.paddingTop) ?? all,
    paddingBottom: spacing(node.paddingBottom) ?? all,
    paddingLeft: spacing(node.paddingStart) ?? all,
    paddingRight: spacing(node.paddingEnd) ?? all,
  };
}
