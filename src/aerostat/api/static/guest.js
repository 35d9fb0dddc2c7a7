// One guest: its memory over time with targets and decisions, why it is so, and what can be said to it.
import { get, post } from "./api.js";
import { drawGuestBar, guestBar } from "./bars.js";
import { columnsOf, memoryChart, SMALL, smallChart } from "./chart.js";
import { eventItem } from "./events.js";
import { chipsOf } from "./host.js";
import { clock, day, duration, element, size, write } from "./format.js";

// What is asked for, how it is called, how long that is, and how often it is asked for again.
const RANGES = [["10m", "10 min", 600, 5], ["1h", "1 h", 3600, 10], ["1d", "1 d", 86400, 60], ["7d", "1 w", 604800, 300]];
const FACTS = [
  ["actual_bytes", "holds"], ["target_bytes", "target"], ["min_bytes", "min"], ["max_bytes", "max"],
  ["demand_bytes", "needs"], ["used_bytes", "guest in use"], ["guest_cache_bytes", "guest cache"],
  ["guest_free_bytes", "guest free"], ["guest_available_bytes", "guest available"],
  ["host_held_bytes", "host RAM for it"], ["host_swap_bytes", "in host swap"],
];
const LEGEND = [
  ["k-used", "guest in use", (c, i) => c.used[i]], ["k-cache", "guest cache", (c, i) => c.cache[i]],
  ["k-free", "guest free", (c, i) => c.free[i]],
  ["k-ballooned", "ballooned", (c, i) => (c.max[i] === null || c.actual[i] === null ? null : c.max[i] - c.actual[i])],
  ["line-target", "target", (c, i) => c.target[i]], ["line-demand", "needs", (c, i) => c.demand[i]],
];
const HAPPENED_MAX = 20;
const kept = { range: "1h" };

export function guestView(page, seat, id) {
  const path = `/v1/guests/${encodeURIComponent(id)}`;
  const title = element("h1"), chips = element("span"), bar = guestBar();
  const words = element("p", { class: "why-now" }), lead = element("p", { class: "lead num-any" });
  const facts = FACTS.map(() => element("dd", { class: "num" }));
  const sentences = element("ul", { class: "plain" });
  const chart = element("div", { class: "chart", role: "img", "aria-label": "Memory over time, by kind" });
  const moment = element("b", { class: "num" });
  const values = LEGEND.map(() => element("b", { class: "num" }));
  const legend = element("ul", { class: "legend chart-legend" },
    ...LEGEND.map(([key, text], i) => element("li", {}, element("span", { class: `key ${key}` }), text, values[i])),
    ...[["up", "given"], ["down", "taken"], ["up bad", "in distress"]].map(([kind, text]) =>
      element("li", {}, element("span", { class: `tri ${kind}` }), text)));
  const minis = SMALL.map((which) => ({
    which, place: element("div", { class: "mini", role: "img", "aria-label": `${which.title}: ${which.note}` }), now: element("b", { class: "num" }),
  }));
  const list = element("ul", { class: "events of-one" });
  const ranges = RANGES.map(([range, text]) => element("button", {
    type: "button", text, "data-range": range, "aria-pressed": String(range === kept.range), onclick: () => choose(range),
  }));
  const inputs = Object.fromEntries([["min", "1GiB, 33%"], ["max", "4GiB"], ["weight", "100"]].map(([name, hint]) =>
    [name, element("input", { placeholder: hint, "aria-label": `New ${name}`, id: `set-${name}` })]));
  const verbs = ["hold", "release", "unhold"].map((verb) =>
    element("button", { type: "button", id: verb, text: verb, onclick: () => say(verb) }));
  page.append(
    element("div", { class: "tools" }, element("a", { class: "back", href: "#/", text: "← all VMs" }), title, chips),
    element("section", { class: "panel" }, bar.bar, element("dl", { class: "facts" },
      ...FACTS.map(([, word], i) => element("div", {}, element("dt", { text: word }), facts[i])))),
    element("section", { class: "panel" },
      element("div", { class: "tools" }, element("h2", { text: "Memory over time" }), moment, element("div", { class: "ranges" }, ...ranges)),
      chart, legend,
      element("div", { class: "minis" }, ...minis.map(({ which, place, now }) => element("section", {},
        element("h3", {}, which.title, now), element("p", { class: "lead", text: which.note }), place)))),
    element("div", { class: "columns" },
      element("section", { class: "panel" }, element("h2", { text: "Why" }), words, lead,
        element("h2", { text: "What would change it" }), sentences),
      element("section", { class: "panel" }, element("h2", { text: "Say something to it" }),
        element("div", { class: "steer" }, ...verbs),
        element("p", { class: "lead", text: "hold: nothing is taken from it. release: it gets its max now." }),
        element("div", { class: "steer" },
          ...Object.entries(inputs).map(([name, input]) => element("label", {}, name, input)),
          element("button", { type: "button", id: "set", text: "set", onclick: set })),
        element("p", { class: "lead", text: "An empty field stays as it is; \u201cdefault\u201d gives it back to the configuration." }))),
    element("section", { class: "panel" }, element("h2", { text: "What happened" }), list));

  let plots = [], asked = 0, askedPast = 0, isOver = false, columns = null, decisions = [], until = 0;
  const guest = () => seat.state?.guests.find((one) => one.id === id || one.name === id);
  const chosen = () => RANGES.find(([range]) => range === kept.range);

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
    if (performance.now() - asked > 5000) why();
    if (performance.now() - askedPast > 1000 * chosen()[3]) past();
  }

  async function why() {
    asked = performance.now();
    try {
      const told = await get(`${path}/explanation`);
      if (isOver) return;
      sentences.replaceChildren(...told.prospects.sentences.map((text) => element("li", { text })));
      const happened = told.last.slice(-HAPPENED_MAX).reverse().map((move) => ({ at: move.at, kind: move.outcome.replaceAll("_", " "), words: move.words }));
      list.replaceChildren(...happened.map((event) => eventItem(event, { withName: false })));
      if (!happened.length) list.replaceChildren(element("li", { class: "empty", text: "Nothing in the last hour." }));
    } catch (error) { document.documentElement.dataset.error = String(error); }
  }

  async function past() {
    askedPast = performance.now();
    const range = kept.range;
    try {
      const [history, told] = await Promise.all([
        get(`${path}/history?since=${range}&points=900`),
        get(`/v1/events?vm=${encodeURIComponent(id)}&since=${range}&limit=2000`),
      ]);
      if (isOver || range !== kept.range) return;
      columns = columnsOf(history, guest()?.max_bytes);
      decisions = decisionsOf(told.events, columns);
      until = Date.parse(seat.state?.now ?? new Date()) / 1000;
      drawCharts();
    } catch (error) { document.documentElement.dataset.error = String(error); }
  }

  function drawCharts() {
    for (const plot of plots) plot?.destroy();
    plots = [];
    if (!columns || columns.at.length < 2) {
      chart.replaceChildren(element("p", { class: "empty", text: "Not enough has been seen yet." }));
      return;
    }
    chart.replaceChildren();
    // A VM that has been seen for a while only fills the chart all the same.
    const span = [Math.max(until - chosen()[2], columns.at[0]), Math.max(until, columns.at.at(-1))];
    plots = [memoryChart(chart, columns, { span, decisions, onCursor: at }), ...minis.map(({ which, place }) => smallChart(which, place, columns, span))];
    at(null);
  }

  // Figures of the moment under the pointer, else of now.
  function at(index) {
    const i = index ?? columns.at.length - 1;
    const seconds = columns.at[i];
    write(moment, index === null ? "" : kept.range === "7d" ? `${day(seconds * 1000)} ${clock(seconds * 1000).slice(0, 5)}` : clock(seconds * 1000));
    LEGEND.forEach(([, , of], n) => { const bytes = of(columns, i); write(values[n], bytes === null || bytes === undefined ? "not told" : size(Math.round(bytes))); });
    minis.forEach(({ which, now }) => write(now, which.now(columns, i) || ""));
  }

  function choose(range) {
    kept.range = range;
    ranges.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.range === range)));
    past();
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
      if (name === "weight" && text !== "default" && !/^[0-9]{1,5}$/.test(text)) { toast("set: a weight is a whole number from 1 to 10000, or default", true); return; }
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

  let resizing = 0;
  const resized = () => { clearTimeout(resizing); resizing = setTimeout(drawCharts, 120); };
  addEventListener("resize", resized);
  why();
  past();
  return {
    name: "guest", draw, themed: drawCharts,
    end: () => {
      isOver = true;
      removeEventListener("resize", resized);
      for (const plot of plots) plot?.destroy();
      document.title = "Aerostat";
    },
  };
}

function decisionsOf(events, columns) {
  const changes = events.filter((event) => (event.kind === "target" || event.kind === "advice") && event.target_bytes !== undefined);
  return changes.map((event) => {
    const at = Date.parse(event.at) / 1000;
    const before = event.target_before_bytes ?? event.actual_bytes ?? event.target_bytes;
    const bytes = event.target_bytes;
    return {
      at, bytes, isUp: bytes >= before, change: Math.abs(bytes - before), isDistress: event.reason === "released_for_distress",
      words: event.words,
    };
  }).filter((one) => one.at >= columns.at[0]);
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
