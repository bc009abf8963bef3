// Builds elements. Texts of reviews become text nodes, never HTML.

type Child = Node | string | null | false;
type Value = string | number | boolean | EventListener;

/** An element with attributes, `on...` listeners and children; an attribute of `true` is there, of `false` is not. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Record<string, Value>, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

/** Calls a function once there has been no further call for some milliseconds. */
export function debounced<A extends unknown[]>(wait: number, work: (...args: A) => void): (...args: A) => void {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
}

/** A share as a percentage, such as "93%"; never "100%" or "0%" for a share that is not exactly that. */
export function percent(share: number): string {
  if (share > 0.99 && share < 1) return "over 99%";
  if (share < 0.01 && share > 0) return "under 1%";
  return `${Math.round(100 * share)}%`;
}

/** The beginning of a text, whole words and whole characters. */
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text;
  const part = text.slice(0, most).replace(/\s+\S{0,20}$/, "");
  return part.replace(/[\ud800-\udbff]$/, "");
}

/** A whole number, thousands apart. */
export function count(number: number): string {
  return number.toLocaleString("en");
}

/** A number with its sign and so many digits. */
export function signed(value: number, digits = 2): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}
