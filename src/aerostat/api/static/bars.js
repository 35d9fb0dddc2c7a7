// Bars of memory by kind, and sparklines.
import { attribute, element, size, width } from "./format.js";

export const GUEST_KINDS = [
  ["used", "guest in use"], ["cache", "guest cache"], ["free", "guest free"], ["unknown", "not told"], ["ballooned", "ballooned"],
];

export function guestBar() {
  const parts = GUEST_KINDS.map(([kind]) => element("i", { class: `k-${kind}` }));
  const mark = element("span", { class: "mark" });
  const bar = element("div", { class: "bar", role: "img" }, element("div", { class: "stack" }, ...parts), mark);
  return { bar, parts, mark };
}

// A bar is as long as the guest's max: what the balloon holds of it is hatched.
export function drawGuestBar({ bar, parts, mark }, guest) {
  const actual = guest.actual_bytes ?? 0;
  const whole = Math.max(guest.max_bytes ?? actual, actual, 1);
  const used = Math.min(guest.used_bytes ?? 0, actual);
  const cache = Math.min(guest.guest_cache_bytes ?? 0, actual - used);
  const free = Math.min(guest.guest_free_bytes ?? 0, actual - used - cache);
  const sizes = [used, cache, free, actual - used - cache - free, whole - actual];
  sizes.forEach((bytes, i) => width(parts[i], bytes / whole));
  const target = guest.target_bytes ?? guest.advised_bytes;
  const left = target === undefined ? "" : `${(100 * Math.min(1, target / whole)).toFixed(2)}%`;
  mark.hidden = target === undefined;
  if (mark.style.left !== left) mark.style.left = left;
  attribute(bar, "aria-label", `holds ${size(guest.actual_bytes)} of ${size(guest.max_bytes)}, target ${size(target)}`);
  attribute(bar, "title", GUEST_KINDS.map(([, word], i) => `${word} ${size(sizes[i])}`).join(", "));
}

const SVG = "http://www.w3.org/2000/svg";

export function sparkline() {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return { svg, path };
}

export function drawSparkline({ path }, values, now, most) {
  const points = [...(values || []).filter((value) => value !== null), now].filter((v) => v !== undefined);
  if (points.length < 2) return;
  const top = most || Math.max(...points, 1);
  const line = points.map((value, i) => {
    const x = (100 * i) / (points.length - 1);
    return `${x.toFixed(1)} ${(19 - (18 * value) / top).toFixed(1)}`;
  });
  attribute(path, "d", `M${line.join("L")}`);
}
