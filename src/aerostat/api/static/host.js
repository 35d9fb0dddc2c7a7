// The first view: where the host's memory is, and all guests.
import { drawGuestBar, drawSparkline, guestBar, GUEST_KINDS, sparkline } from "./bars.js";
import { attribute, element, size, width, write } from "./format.js";

const RAM = [
  ["guests_used_bytes", "used", "guests in use"], ["guests_cache_bytes", "cache", "guests' cache"],
  ["guests_free_bytes", "free", "free in guests"], ["guests_unknown_bytes", "unknown", "not told"],
  ["host_itself_bytes", "itself", "host itself"], ["reserve_bytes", "reserve", "reserve"],
  ["available_beyond_reserve_bytes", "spare", "host available"],
];
const FACTS = [
  ["supply_bytes", "guests may hold"], ["committed_bytes", "guests hold"], ["demand_bytes", "guests need"],
  ["max_bytes", "sum of max"], ["ballooned_bytes", "ballooned"], ["untouched_bytes", "not touched yet"],
  ["swapped_bytes", "in host swap"], ["reserved_bytes", "kept for starts"], ["short_bytes", "cannot be met"],
];
// Its key, its head, from which width on it is shown, what it is sorted by, and what it is called on a card.
const COLUMNS = [
  ["name", "VM", "", (g) => g.name.toLowerCase()],
  ["mem", "memory, up to max", "", (g) => (g.actual_bytes ?? 0) / (g.max_bytes || 1), "how full"],
  ["spark", "lately", "w-wide", null],
  ["actual", "holds", "r", (g) => g.actual_bytes ?? -1],
  ["target", "target", "r", (g) => g.target_bytes ?? g.advised_bytes ?? -1],
  ["max", "max", "r w-middle", (g) => g.max_bytes ?? -1],
  ["demand", "needs", "r w-narrow", (g) => g.demand_bytes ?? -1],
  ["avail", "guest available", "r w-widest", (g) => g.guest_available_bytes ?? -1],
  ["why", "why", "", (g) => `${g.is_distressed ? 0 : chipsOf(g).length ? 1 : 2} ${g.words}`],
];
const SORTED = COLUMNS.filter(([, , , by]) => by);
const kept = { sort: "name", down: false, filter: "" };

export function hostView(page, seat) {
  const parts = RAM.map(([, kind]) => element("i", { class: `k-${kind}` }));
  const values = RAM.map(() => element("b", { class: "num" }));
  const legend = RAM.map(([, kind, words], i) =>
    element("li", {}, element("span", { class: `key k-${kind}` }), words, values[i]));
  const facts = FACTS.map(() => element("dd", { class: "num" }));
  const total = element("span", { class: "num" });
  const count = element("span", { class: "count", role: "status" });
  const filter = element("input", {
    id: "filter", type: "search", placeholder: "filter: name, word, reason   ( / )",
    "aria-label": "Filter VMs", value: kept.filter,
    oninput: () => { kept.filter = filter.value; draw(); },
  });
  const heads = COLUMNS.map(([key, words, css, by]) => element("th", { class: `${key} ${css}`, scope: "col" },
    by ? element("button", { type: "button", text: words, onclick: () => sortBy(key) }) : element("span", { text: words })));
  const choice = element("select", { id: "sort", "aria-label": "Sort VMs by", onchange: () => sortBy(choice.value) },
    ...SORTED.map(([key, words, , , short]) => element("option", { value: key, text: `by ${short ?? words}` })));
  const body = element("tbody");
  const rows = new Map();
  page.append(
    element("section", { class: "panel", "aria-label": "The host's memory" },
      element("h2", {}, "Where the host's ", total, " are"),
      element("div", { class: "stack", role: "img", "aria-label": "The host's RAM by what it is for" }, ...parts),
      element("ul", { class: "legend" }, ...legend),
      element("dl", { class: "facts" }, ...FACTS.map(([, words], i) => element("div", {}, element("dt", { text: words }), facts[i])))),
    element("div", { class: "tools" }, element("h2", { text: "Virtual machines" }), count, filter, choice,
      element("ul", { class: "legend" }, ...GUEST_KINDS.map(([kind, word]) =>
        element("li", {}, element("span", { class: `key k-${kind}` }), word)),
      element("li", {}, element("span", { class: "key tick" }), "target"))),
    element("table", { id: "guests" }, element("thead", {}, element("tr", {}, ...heads)), body),
  );

  function sortBy(key) {
    kept.down = kept.sort === key ? !kept.down : key !== "name" && key !== "why";
    kept.sort = key;
    draw();
  }

  function drawHost(host) {
    const account = host.account || {};
    const whole = host.memory?.total_bytes || 1;
    write(total, size(host.memory?.total_bytes));
    RAM.forEach(([name], i) => {
      width(parts[i], (account[name] || 0) / whole);
      attribute(parts[i], "title", `${RAM[i][2]} ${size(account[name])}`);
      write(values[i], size(account[name]));
    });
    FACTS.forEach(([name], i) => write(facts[i], size(host[name] ?? account[name])));
  }

  function draw() {
    if (!seat.state) return;
    drawHost(seat.state.host);
    const wanted = kept.filter.trim().toLowerCase();
    const guests = seat.state.guests.filter((g) => !wanted || `${g.name} ${g.words} ${g.reason} ${g.run_state} ${g.order?.standing || ""} ${g.id}`.toLowerCase().includes(wanted));
    const by = COLUMNS.find(([key]) => key === kept.sort)[3];
    const sign = kept.down ? -1 : 1;
    const keys = new Map(guests.map((g) => [g.id, by(g)]));
    guests.sort((a, b) => { const x = keys.get(a.id), y = keys.get(b.id); return sign * (x < y ? -1 : x > y ? 1 : 0) || (a.id < b.id ? -1 : 1); });
    heads.forEach((head, i) => attribute(head, "aria-sort", COLUMNS[i][0] === kept.sort ? (kept.down ? "descending" : "ascending") : null));
    if (choice.value !== kept.sort) choice.value = kept.sort;
    const present = new Set(guests.map((g) => g.id));
    for (const [id, row] of rows) if (!present.has(id)) { row.tr.remove(); rows.delete(id); }
    let place = body.firstChild;
    for (const guest of guests) {
      let row = rows.get(guest.id);
      if (!row) rows.set(guest.id, (row = newRow(guest)));
      if (row.tr !== place) body.insertBefore(row.tr, place);
      else place = place.nextSibling;
      drawRow(row, guest, seat.sparklines[guest.id]);
    }
    const all = seat.state.guests.length;
    write(count, guests.length === all ? `${all}` : `${guests.length} of ${all}`);
  }

  return { name: "host", draw };
}

function newRow(guest) {
  const cells = Object.fromEntries(COLUMNS.map(([key, words, css]) => [key, element("td", {
    class: `${key} ${css}${css.startsWith("r") ? " num" : ""}`, "data-label": css.startsWith("r") ? words : undefined })]));
  const link = element("a", { href: `#/guest/${encodeURIComponent(guest.id)}` });
  const chips = element("span", { class: "chips" }), words = element("span", { class: "words" });
  const bar = guestBar();
  const spark = sparkline();
  cells.name.append(link);
  cells.mem.append(bar.bar);
  cells.spark.append(spark.svg);
  cells.why.append(element("div", {}, chips, words));
  return { tr: element("tr", {}, ...COLUMNS.map(([key]) => cells[key])), cells, link, chips, words, bar, spark, chipText: "" };
}

function drawRow(row, guest, sparks) {
  write(row.link, guest.name);
  attribute(row.link, "title", guest.name);
  drawChips(row, guest);
  drawGuestBar(row.bar, guest);
  drawSparkline(row.spark, sparks, guest.actual_bytes, guest.max_bytes);
  write(row.cells.actual, size(guest.actual_bytes));
  write(row.cells.target, guest.advised_bytes !== undefined ? `(${size(guest.advised_bytes)})` : size(guest.target_bytes));
  write(row.cells.max, size(guest.max_bytes));
  write(row.cells.demand, size(guest.demand_bytes));
  write(row.cells.avail, size(guest.guest_available_bytes));
  write(row.words, guest.words);
  attribute(row.cells.why, "title", guest.words);
  row.tr.classList.toggle("is-gone", guest.run_state !== "running");
  row.tr.classList.toggle("is-short", guest.is_distressed);
}

export function chipsOf(guest) {
  const chips = [];
  if (guest.is_distressed) chips.push(["short of memory", "bad"]);
  if (guest.is_stalled) chips.push(["stuck", "mild"]);
  if (guest.is_doubted) chips.push(["doubted", "mild"]);
  if (guest.is_owed) chips.push(["owed", "mild"]);
  if (guest.run_state !== "running") chips.push([guest.run_state, ""]);
  if (guest.order?.standing) chips.push([guest.order.standing, "order"]);
  else if (guest.order) chips.push(["limits set", "order"]);
  if (guest.figures_age_s > 10) chips.push(["old figures", "mild"]);
  return chips;
}

function drawChips(row, guest) {
  const chips = chipsOf(guest);
  const text = chips.join();
  if (text === row.chipText) return;
  row.chipText = text;
  row.chips.replaceChildren(...chips.map(([words, tone]) => element("span", { class: `chip ${tone}`, text: words })));
}
