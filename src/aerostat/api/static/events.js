// What happened, newest first, as it happens.
import { get } from "./api.js";
import { element, moment } from "./format.js";

const RANGES = [["1h", "1 h"], ["1d", "1 d"], ["7d", "1 w"]];
const SHOWN_MAX = 500;
const BAD = new Set(["released_for_distress"]);

export function eventItem(event, { withName = true } = {}) {
  const grew = (event.target_bytes ?? 0) - (event.target_before_bytes ?? event.target_bytes ?? 0);
  const tone = BAD.has(event.reason) || event.kind === "pressure" ? "bad" : grew > 0 ? "up" : grew < 0 ? "down" : event.kind === "technique" || event.kind === "command" ? "order" : "";
  return element("li", {},
    element("time", { datetime: event.at, text: moment(event.at), title: event.at }),
    withName ? element("span", { class: "who", text: event.name || "daemon", title: event.name || "daemon" }) : null,
    element("span", { class: `kind ${tone}`, text: event.kind.replaceAll("_", " ") }),
    // As it was told when it was sent, what came of it was not known yet: that is no news later on.
    element("span", { class: "words", text: event.words.replace(/ \[not reached yet[^\]]*\]$/, "") }));
}

export function eventsView(page, seat) {
  const list = element("ul", { class: "events", "aria-live": "off" });
  const empty = element("p", { class: "empty", text: "Nothing like that has happened in this time." });
  const count = element("span", { class: "count", role: "status" });
  const filter = element("input", {
    id: "filter", type: "search", placeholder: "filter: name, kind, word   ( / )", "aria-label": "Filter events", oninput: draw,
  });
  const kinds = element("select", { id: "kind", "aria-label": "Which kind", onchange: draw }, element("option", { value: "", text: "all kinds" }));
  const ranges = RANGES.map(([range, text]) => element("button", { type: "button", text, "aria-pressed": String(range === "1h"), onclick: () => choose(range) }));
  page.append(element("div", { class: "tools" }, element("h1", { text: "What happened" }), count, filter, kinds, element("div", { class: "ranges" }, ...ranges)),
    element("section", { class: "panel" }, list, empty));
  let older = null, since = "1h", isOver = false;

  async function choose(range) {
    since = range;
    ranges.forEach((button, i) => button.setAttribute("aria-pressed", String(RANGES[i][0] === range)));
    const told = range === "1h" ? null : (await get(`/v1/events?since=${range}&limit=2000`)).events;
    if (isOver || since !== range) return;
    older = told === null ? null : { events: told.filter((event) => event.kind !== "balloon_moved").reverse(), seen: new Set(told.map(keyOf)) };
    draw();
  }

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const all = older === null ? seat.happened : [...seat.happened.filter((event) => !older.seen.has(keyOf(event))), ...older.events];
    const names = [...new Set(all.map((event) => event.kind))].sort();
    if (names.join() !== [...kinds.options].slice(1).map((one) => one.value).join()) {
      const chosen = kinds.value;
      kinds.replaceChildren(kinds.options[0], ...names.map((kind) => element("option", { value: kind, text: kind.replaceAll("_", " ") })));
      kinds.value = names.includes(chosen) ? chosen : "";
    }
    const shown = all.filter((event) => (!kinds.value || event.kind === kinds.value)
      && (!wanted || `${event.name ?? "daemon"} ${event.kind} ${event.words}`.toLowerCase().includes(wanted)));
    list.replaceChildren(...shown.slice(0, SHOWN_MAX).map((event) => eventItem(event)));
    count.textContent = shown.length > SHOWN_MAX ? `the last ${SHOWN_MAX} of ${shown.length}` : String(shown.length);
    empty.hidden = shown.length > 0;
  }

  let drawing = 0;
  draw();
  return {
    name: "events",
    // A storm of them is drawn once.
    happened: () => { drawing ||= setTimeout(() => { drawing = 0; if (!isOver) draw(); }, 100); },
    end: () => { isOver = true; },
  };
}

function keyOf(event) { return `${event.at} ${event.kind} ${event.id ?? ""}`; }
