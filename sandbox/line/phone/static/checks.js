// What a writer should know about a message before residents get it: lengths, contrast, missing labels.

const LIMITS = { text: 5000, altText: 1500, label: 20, displayText: 300, data: 300 };
const READABLE = 4.5;
const FILLED = { primary: "#ffffff", secondary: "#111111" };

/** Every counted string of a message: `{path, text, units, graphemes, limit}`. */
export function lengths(object) {
  const graphemes = new Intl.Segmenter("ja", { granularity: "grapheme" });
  return strings(object).map(({ path, key, text }) => ({
    path,
    text,
    units: text.length,
    graphemes: [...graphemes.segment(text)].length,
    limit: path === "text" ? LIMITS.text : key === "text" ? null : limitOf(path, key),
  }));
}

/** Paths of actions without a label, which a screen reader cannot name. */
export function unlabelled(object) {
  return walk(object)
    .filter(({ key, node }) => (key === "action" || key === "defaultAction") && node.type && !node.label)
    .map(({ path }) => path);
}

/** Texts and buttons whose colour stands too weakly on their background: `{path, ratio}`. */
export function faint(object) {
  const found = [];
  visit(object.contents, "contents", "#ffffff", found);
  return found;
}

function limitOf(path, key) {
  if (key === "label" && path.includes("contents")) return 40;
  return LIMITS[key] ?? null;
}

function strings(object) {
  return walk(object)
    .flatMap(({ path, node }) => Object.entries(node).map(([key, text]) => ({ path: join(path, key), key, text })))
    .filter(({ key, text }) => typeof text === "string" && key in LIMITS && text !== "");
}

function walk(node, path = "", key = "") {
  if (node === null || typeof node !== "object") return [];
  const own = Array.isArray(node) ? [] : [{ path, key, node }];
  return own.concat(Object.entries(node).flatMap(([name, child]) => walk(child, join(path, name), name)));
}

const join = (path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path ? `${path}.${key}` : key);

function visit(node, path, background, found) {
  if (node === null || typeof node !== "object") return;
  if (Array.isArray(node)) return node.forEach((child, index) => visit(child, `${path}[${index}]`, background, found));
  const here = node.type === "bubble" || node.type === "carousel" ? background : (node.backgroundColor ?? background);
  compare(node, path, here, found);
  for (const [name, child] of Object.entries(node)) {
    if (name !== "action" && name !== "styles") {
      visit(child, join(path, name), node.styles?.[name]?.backgroundColor ?? here, found);
    }
  }
}

function compare(node, path, background, found) {
  const [front, back] = colours(node, background);
  if (!front || !back) return;
  const ratio = contrast(front, back);
  if (ratio < READABLE) found.push({ path, ratio: ratio.toFixed(1) });
}

function colours(node, background) {
  if (node.type === "text" || node.type === "span") return [node.color, background];
  if (node.type !== "button") return [];
  return node.style in FILLED ? [node.color && FILLED[node.style], node.color] : [node.color, background];
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex) {
  const channel = (start) => {
    const value = parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
