// Sizes and colours of Flex messages, as LINE documents them, turned into CSS values.

const SPACING = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const TEXT = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74 };
const IMAGE = { xxs: 40, xs: 60, sm: 80, md: 100, lg: 120, xl: 140, xxl: 160, "3xl": 180, "4xl": 200, "5xl": 220 };
const BORDER = { none: 0, light: 0.5, normal: 1, medium: 2, "semi-bold": 3, bold: 4 };
const BUBBLE = { nano: 120, micro: 160, deca: 220, hecto: 241, kilo: 260, mega: 300, giga: 386 };
const BLOCK_PADDING = { nano: 10, micro: 10, deca: 13, hecto: 13, kilo: 13, mega: 20, giga: 20 };

const LENGTH = /^-?\d+(\.\d+)?(px|%)$/;
const COLOR = /^#([0-9a-f]{6}|[0-9a-f]{8})$/i;

const from = (table) => (value) => {
  if (value in table) return `${table[value]}px`;
  return LENGTH.test(value ?? "") ? value : null;
};

export const spacing = from(SPACING);
export const textSize = from(TEXT);
export const border = from(BORDER);
export const bubbleWidth = (size) => BUBBLE[size] ?? BUBBLE.mega;
export const blockPadding = (size) => BLOCK_PADDING[size] ?? BLOCK_PADDING.mega;
export const imageWidth = (size = "md") => (size === "full" ? "100%" : from(IMAGE)(size));
export const color = (value) => (COLOR.test(value ?? "") ? value : null);

/** `20:13` as a CSS aspect ratio. */
export const aspectRatio = (value = "1:1") => (/^[\d.]+:[\d.]+$/.test(value) ? value.replace(":", " / ") : "1 / 1");

/** `justifyContent`, `alignItems`, `align` and `gravity` share CSS's words but for start, end, top and bottom. */
const ALIGN = {
  start: "flex-start",
  end: "flex-end",
  top: "flex-start",
  bottom: "flex-end",
  center: "center",
  "flex-start": "flex-start",
  "flex-end": "flex-end",
  "space-between": "space-between",
  "space-around": "space-around",
  "space-evenly": "space-evenly",
};
export const alignment = (value) => ALIGN[value] ?? null;

/** A linear gradient of a box background; null for anything else. */
export function gradient(background) {
  if (background?.type !== "linearGradient" || !/^-?\d+(\.\d+)?deg$/.test(background.angle ?? "")) return null;
  const stops = [background.startColor, background.centerColor, background.endColor].filter(color);
  return stops.length > 1 ? `linear-gradient(${background.angle}, ${stops.join(", ")})` : null;
}
