// How figures are written, and elements made. Text from guests only ever becomes text, never HTML.
export const ABSENT = "–";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNITS = [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]];

export function size(bytes) {
  if (bytes === undefined || bytes === null) return ABSENT;
  const magnitude = Math.abs(bytes);
  for (const [unit, factor] of UNITS) {
    if (magnitude >= 2 * factor || (magnitude >= factor && (unit === "MiB" || unit === "KiB"))) {
      const amount = magnitude / factor;
      const digits = amount >= 100 || Number.isInteger(amount) ? 0 : 1;
      return `${bytes < 0 ? "-" : ""}${amount.toFixed(digits)}\u00a0${unit}`;
    }
  }
  return `${bytes}\u00a0B`;
}

export function duration(seconds) {
  if (seconds === undefined || seconds === null) return ABSENT;
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u00a0s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)}\u00a0min` : `${(seconds / 3600).toFixed(1)}\u00a0h`;
}

export function clock(when) {
  const date = new Date(when);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

// A day that nobody reads the other way round: 24 Nov.
export function day(when) {
  const date = new Date(when);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

export function moment(when) {
  const isToday = new Date(when).toDateString() === new Date().toDateString();
  return isToday ? clock(when) : `${day(when)} ${clock(when).slice(0, 5)}`;
}

export function two(number) { return String(number).padStart(2, "0"); }

// Marks that turn the direction of writing round: by them one VM's name could pose as another's.
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
export function plain(text) { return typeof text === "string" ? text.replace(TURNING, "?") : text; }

export function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = plain(value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Writing to the page only what has changed is what keeps 500 rows fluid.
export function write(node, given) {
  const text = plain(given);
  if (node.firstChild?.nodeValue !== text || node.childNodes.length !== 1) node.textContent = text;
}

export function attribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function width(node, share) {
  const text = `${(100 * Math.max(0, Math.min(1, share || 0))).toFixed(2)}%`;
  if (node.style.width !== text) node.style.width = text;
}
