// One guest: its memory over time with targets and decisions, why it is so, and what can be said to it.
import { get, post } from "./api.js";
import { drawGuestBar, guestBar } from "./bars.js";
import { eventItem } from "./events.js";
import { chipsOf } from "./host.js";
import { ABSENT, duration, element, size, write } from "./format.js";

const RANGES = ["10m", "1h", "6h", "1d", "7d"];
const FACTS = [
  ["actual_bytes", "holds"], ["target_bytes", "target"], ["min_bytes", "min"], ["max_bytes", "max"],
  ["demand_bytes", "needs"], ["used_bytes", "used"], ["guest_available_bytes", "guest available"],
  ["guest_free_bytes", "guest free"], ["guest_cache_bytes", "guest cache"],
  ["host_held_bytes", "host measures"], ["host_swap_bytes", "in host swap"],
];
const kept = { range: "1h" };

export function guestView(page, seat, id) {
  const path = `/v1/guests/${encodeURIComponent(id)}`;
  const title = element("h1"), chips = element("span"), bar = guestBar();
  const words = element("p", { class: "why-now" }), lead = element("p", { class: "lead num" });
  const facts = FACTS.map(() => element("dd", { class: "num" }));
  const sentences = element("ul", { class: "plain" });
  const chart = element("div", { class: "chart", role: "img", "aria-label": "Memory over time" });
  const list = element("ul", { class: "events of-one" });
  const ranges = RANGES.map((range) => element("button", {
    type: "button", text: range, "aria-pressed": String(range === kept.range), onclick: () => choose(range),
  }));
  const inputs = Object.fromEntries([["min", "1GiB, 33%"], ["max", "4GiB"], ["weight", "100"]].map(([name, hint]) =>
    [name, element("input", { placeholder: hint, "aria-label": `New ${name}`, id: `set-${name}` })]));
  const verbs = ["hold", "release", "unhold"].map((verb) =>
    element("button", { type: "button", id: verb, text: verb, onclick: () => say(verb) }));
  page.append(
    element("div", { class: "tools" }, title, chips),
    element("div", { class: "columns" },
      element("section", { class: "panel wide" }, bar.bar, element("dl", { class: "facts" },
        ...FACTS.map(([, word], i) => element("div", {}, element("dt", { text: word }), facts[i])))),
      element("section", { class: "panel" },
        element("div", { class: "tools" }, element("h2", { text: "Memory over time" }), element("div", { class: "ranges" }, ...ranges)), chart),
      element("section", { class: "panel" }, element("h2", { text: "Why" }), words, lead,
        element("h2", { text: "What would change it" }), sentences),
      element("section", { class: "panel wide" }, element("h2", { text: "Say something to it" }),
        element("div", { class: "steer" }, ...verbs,
          ...Object.entries(inputs).map(([name, input]) => element("label", {}, name, input)),
          element("button", { type: "button", id: "set", text: "set", onclick: set })),
        element("p", { class: "lead", text: "hold: nothing is taken from it. release: it gets its max now. An empty field stays as it is; \u201cdefault\u201d gives it back to the configuration." })),
      element("section", { class: "panel wide" }, element("h2", { text: "What happened" }), list)));

  let plot = null, asked = 0, isOver = false, history = null;
  const guest = () => seat.state?.guests.find((one) => one.id === id || one.name === id);

  function draw() {
    const one = guest();
    if (!one) { write(title, `${id} is not there any more`); return; }
    write(title, one.name);
    document.title = `${one.name} · Aerostat`;
    chips.replaceChildren(...chipsOf(one).map(([text, tone]) => element("span", { class: `chip ${tone}`, text })));
    drawGuestBar(bar, one);
    FACTS.forEach(([name], i) => {
      const advised = name === "target_bytes" && one.advised_bytes !== undefined;
      write(facts[i], advised ? `(${size(one.advised_bytes)})` : size(one[name]));
    });
    write(words, one.words);
    const age = one.figures_age_s === undefined ? "no figures from the guest" : `figures ${duration(one.figures_age_s)} old`;
    const sure = one.confidence === undefined ? "" : `, ${Math.round(100 * one.confidence)} % sure`;
    const sent = one.was_enforced ? "" : " · nothing is sent: the daemon does not enforce";
    write(lead, age + sure + (one.host_words ? ` · ${one.host_words}` : "") + (one.trouble ? ` · ${one.trouble}` : "") + sent);
    if (performance.now() - asked > 5000) more();
  }

  async function more() {
    asked = performance.now();
    try {
      const [told, past] = await Promise.all([get(`${path}/explanation`), get(`${path}/history?since=${kept.range}&points=500`)]);
      if (isOver) return;
      sentences.replaceChildren(...told.prospects.sentences.map((text) => element("li", { text })));
      const happened = told.last.slice(-40).reverse().map((move) => ({ at: move.at, kind: move.outcome, words: move.words }));
      list.replaceChildren(...happened.map((event) => eventItem(event, { withName: false })));
      if (!happened.length) list.replaceChildren(element("li", { class: "empty", text: "Nothing in the last hour." }));
      history = past;
      drawChart();
    } catch (error) { document.documentElement.dataset.error = String(error); }
  }

  function drawChart() {
    plot?.destroy();
    plot = newChart(chart, history);
  }

  function choose(range) {
    kept.range = range;
    ranges.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === range)));
    more();
  }

  async function say(verb) {
    if (verb === "release" && !(await confirmed(`Release ${title.textContent}?`, "It gets its max now, as far as the host has it; others may have to give. Nothing is taken from it until you say unhold."))) return;
    await send(`${path}/${verb}`, {}, verb);
  }

  async function set() {
    const body = {};
    for (const [name, input] of Object.entries(inputs)) {
      const text = input.value.trim();
      if (text === "") continue;
      body[name] = text === "default" ? null : name === "weight" ? Number(text) : text;
    }
    if (!Object.keys(body).length) { toast("Write a min, a max or a weight first", true); return; }
    await send(`${path}/limits`, body, "set");
  }

  async function send(where, body, verb) {
    try {
      const answer = await post(where, body);
      toast(answer.mode === "enforce" ? `${verb}: accepted` : `${verb}: accepted; the daemon is in mode ${answer.mode}, and sends nothing`);
    } catch (error) { toast(`${verb}: ${error.message}`, true); }
  }

  more();
  return {
    name: "guest", draw, themed: drawChart,
    end: () => { isOver = true; plot?.destroy(); document.title = "Aerostat"; },
  };
}

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }

// Kinds of memory lie upon each other up to what the guest holds; target and demand are lines.
function newChart(place, past) {
  const at = past?.at || [];
  if (at.length < 2) { place.replaceChildren(element("p", { class: "empty", text: "Not enough has been seen yet." })); return null; }
  place.replaceChildren();
  const column = (name) => past[name] || at.map(() => null);
  const actual = column("actual_bytes"), used = column("used_bytes"), cache = column("cache_bytes");
  const usedAndCache = used.map((bytes, i) => (bytes === null ? null : Math.min(bytes + (cache[i] ?? 0), actual[i] ?? Infinity)));
  const lines = [
    ["holds", actual, "free", true], ["used + cache", usedAndCache, "cache", true], ["used", used, "used", true],
    ["target", column("target_bytes"), "target", false], ["needs", column("demand_bytes"), "demand", false],
  ];
  const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid") } };
  const most = Math.max(...actual.filter(Number.isFinite), ...column("target_bytes").filter(Number.isFinite), 1);
  return new uPlot({
    width: place.clientWidth || 600, height: 270, cursor: { drag: { x: true, y: false } },
    scales: { y: { range: [0, most * 1.08] } },
    axes: [axis, { ...axis, size: 74, incrs: Array.from({ length: 34 }, (_, i) => 2 ** (i + 16)), values: (_, ticks) => ticks.map((tick) => size(Math.round(tick))) }],
    series: [{ value: (_, seconds) => (seconds === null ? ABSENT : new Date(seconds * 1000).toLocaleTimeString([], { hour12: false })) },
      ...lines.map(([label, , name, filled]) => ({
        label, stroke: colour(name), width: filled ? 1 : 2, fill: filled ? colour(name) : undefined, spanGaps: true,
        dash: name === "target" ? [5, 4] : undefined, points: { show: false },
        paths: name === "target" ? uPlot.paths.stepped({ align: 1 }) : undefined, value: (_, bytes) => size(bytes),
      }))],
  }, [at, ...lines.map(([, values]) => values)], place);
}

function confirmed(title, text) {
  const dialog = document.getElementById("ask");
  write(document.getElementById("ask-title"), title);
  write(document.getElementById("ask-text"), text);
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}

let hiding = 0;
function toast(text, isBad = false) {
  const place = document.getElementById("toast");
  write(place, text);
  place.className = isBad ? "on bad" : "on";
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.className = ""; }, 4000);
}
