// Building the page from parts. Text only ever enters as text nodes, never as markup.

/**
 * An element with attributes and children. Props: `class`, `style` (object of CSS properties), `dataset`,
 * `on` (event → listener); anything else is an attribute; false, null and undefined leave it out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "style") setStyle(element, value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else element.setAttribute(name, value === true ? "" : String(value));
}

/** Set CSS properties through the CSSOM, which the page's content policy allows and which cannot break out. */
export function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) {
    if (value !== null && value !== undefined) element.style[name] = value;
  }
  return element;
}

/** A 24×24 line icon from path data, decorative. */
export function icon(...paths) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(name, value);
  }
  for (const data of paths) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}

export const ICONS = {
  sound: ["M6 16V11a6 6 0 0 1 12 0v5l2 2H4z", "M10 21h4"],
  silent: ["M6 16V11a6 6 0 0 1 9-5.2M18 11v5l2 2H7", "M10 21h4", "M3 3l18 18"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  chat: ["M4 5h16v11H10l-5 4v-4H4z"],
  close: ["M6 6l12 12M18 6L6 18"],
  send: ["M4 12h14M12 6l6 6-6 6"],
  menu: ["M4 7h16M4 12h16M4 17h16"],
  pin: ["M12 21c-4-5-6-8-6-11a6 6 0 0 1 12 0c0 3-2 6-6 11z", "M12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  play: ["M8 5l11 7-11 7z"],
};
