// Plots: of fleets unmet demand and distress by policy, of fleets and scenarios memory by guest. No text reaches innerHTML.
"use strict";
const result = JSON.parse(document.getElementById("data").textContent);
const GIB = 1073741824, DAY = 86400, FLOOR = -5; // shares below 0.001 % are shown as that
const root = document.documentElement;
addEventListener("error", event => { root.dataset.error = event.message; });

const fleets = result.arms.filter(arm => arm.fleet_series || arm.scenario_series);
const blockOf = arm => arm.fleet_series ? `${arm.world} at ${arm.overcommit_ratio}x, seed ${arm.repeat}` : `${arm.world}, seed ${arm.repeat}`;
const blocks = [...new Set(fleets.map(blockOf))];
const policies = [...new Set(fleets.map(arm => arm.policy))];
const INKS = ["#0b7a75", "#2b6cb0", "#c77700", "#7d4fc3", "#b83280", "#5d6975", "#c02b3c", "#58a012", "#8a6d3b", "#00a0c8", "#98a3ac"];
const ranked = [...policies].sort((a, b) => mean(a) - mean(b));
const ink = policy => policy === "adaptive" ? INKS[0] : INKS[1 + [...policies].filter(p => p !== "adaptive").indexOf(policy) % (INKS.length - 1)];
const state = { block: blocks[0], picked: policies.includes("adaptive") ? "adaptive" : ranked[0], hidden: new Set(ranked.slice(6).filter(p => p !== "adaptive")), plots: [] };

function mean(policy) {
  const own = fleets.filter(arm => arm.policy === policy).map(arm => arm.unmet_ratio ?? arm.starved_s);
  return own.reduce((sum, one) => sum + one, 0) / own.length;
}
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function colour(name) { return getComputedStyle(root).getPropertyValue("--" + name).trim(); }
const shown = () => fleets.filter(arm => arm.fleet_series && blockOf(arm) === state.block && !state.hidden.has(arm.policy));

function axes(x, y, size = 52) {
  const shared = { stroke: colour("faint"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  return [{ ...shared, size: 24, gap: 3, grid: { show: false }, ...x }, { ...shared, size, gap: 4, grid: { stroke: colour("grid"), width: 1 }, ...y }];
}
function timeAxis(end_s) {
  const [unit, word] = end_s > 2 * DAY ? [DAY, "d"] : end_s > 7200 ? [3600, "h"] : [60, "min"];
  return { values: (u, splits) => splits.map(split => `${+(split / unit).toFixed(1)} ${word}`), space: 60,
    incrs: [1, 2, 3, 4, 5, 6, 7, 10, 12, 15, 20, 24, 30, 60, 90, 180].map(step => step * unit) };
}
function draw(place, options, data) {
  const plot = new uPlot({ width: Math.max(220, place.clientWidth), legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { x: false, y: false } }, ...options }, data, place);
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", options.label);
  state.plots.push({ plot, place });
}
// A lack that lasts for one look only is a point, which no line would show.
const lines = arms => arms.map(arm => ({ stroke: ink(arm.policy), width: arm.policy === "adaptive" ? 2.5 : 1.5, points: { show: true, size: 4, fill: ink(arm.policy) } }));

function drawUnmet() {
  const arms = shown();
  if (!arms.length) return;
  const time = arms[0].fleet_series.elapsed_s;
  const columns = arms.map(({ fleet_series: s }) => time.map((end, i) => {
    const wanted = s.demand_bytes[i] * (end - (i ? time[i - 1] : 0));
    return s.short_byte_s[i] > 0 && wanted > 0 ? Math.max(FLOOR, Math.log10(s.short_byte_s[i] / wanted)) : null;
  }));
  const marks = { "-5": "0.001 %", "-4": "0.01 %", "-3": "0.1 %", "-2": "1 %", "-1": "10 %", "0": "100 %" };
  const y = { splits: () => [-5, -4, -3, -2, -1, 0], values: (u, splits) => splits.map(split => marks[split]) };
  draw(document.getElementById("unmet"), { label: "Unmet demand by policy over time", height: 260, padding: [8, 12, 0, 0],
    scales: { x: { time: false }, y: { range: [FLOOR - .1, .1] } }, axes: axes(timeAxis(time[time.length - 1]), y, 60), series: [{}, ...lines(arms)] }, [time, ...columns]);
}

function drawDistress() {
  const arms = shown();
  if (!arms.length) return;
  const share = arms[0].distressed_s_by_share.map((_, i) => i);
  const columns = arms.map(arm => arm.distressed_s_by_share.map(cell => cell > 0 ? Math.max(-1, Math.log10(cell)) : null));
  const marks = { "-1": "0.1 s", "0": "1 s", "1": "10 s", "2": "100 s", "3": "1000 s", "4": "10 000 s", "5": "1 d" };
  const y = { splits: () => [-1, 0, 1, 2, 3, 4], values: (u, splits) => splits.map(split => marks[split]) };
  draw(document.getElementById("distress"), { label: "Distribution of distress by policy", height: 260, padding: [8, 24, 0, 0],
    scales: { x: { time: false, range: [0, 100] }, y: { range: [-1.1, Math.log10(DAY)] } },
    axes: axes({ values: (u, splits) => splits.map(split => split + " %") }, y, 64), series: [{}, ...lines(arms)] }, [share, ...columns]);
}

function drawGuests() {
  const place = document.getElementById("guests");
  place.replaceChildren();
  const arm = fleets.find(one => blockOf(one) === state.block && one.policy === state.picked);
  if (!arm) return;
  if (arm.scenario_series) { drawScenarioGuests(place, arm); return; }
  const time = arm.fleet_series.elapsed_s;
  for (const [name, rows] of Object.entries(arm.fleet_series.guests)) {
    const inGib = cells => cells.map(cell => cell / GIB);
    const demand = inGib(rows.demand_bytes), actual = inGib(rows.actual_bytes);
    const lacking = demand.map((want, i) => want > actual[i] * 1.0005 ? want : null);
    const most = rows.max_bytes / GIB;
    const readout = element("span", { class: "readout" });
    const rest = `of ${most.toFixed(most < 10 ? 1 : 0)} GiB`;
    readout.textContent = rest;
    const panel = element("div", { class: "panel" }, element("header", {}, element("b", {}, name), readout));
    place.append(panel);
    const area = (fill, stroke = "transparent") => ({ fill, stroke, width: 1, points: { show: false } });
    draw(panel, { label: `${name} under ${arm.policy}`, height: 110, padding: [6, 6, 0, 0], width: panel.clientWidth - 12,
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "guests", scales: ["x", null] } },
      hooks: { setCursor: [u => { const i = u.cursor.idx; readout.textContent = i == null || u.cursor.left < 0 ? rest : `wants ${demand[i].toFixed(1)}, holds ${actual[i].toFixed(1)} GiB`; }] },
      scales: { x: { time: false }, y: { range: [0, most * 1.02] } }, axes: axes({ ...timeAxis(time[time.length - 1]), size: 20 }, { space: 30 }, 34),
      series: [{}, area(colour("free")), area(colour("used")), { stroke: colour("deficit"), width: 0, points: { show: true, size: 4, fill: colour("deficit"), stroke: colour("deficit") } }, { stroke: colour("target"), width: 1.25, points: { show: false } }] },
      [time, actual, demand.map((want, i) => Math.min(want, actual[i])), lacking, actual]);
  }
}

// What a scenario's guest wants is its workload's affair: what it held, what was asked, what the host held for it.
function drawScenarioGuests(place, arm) {
  const time = arm.scenario_series.elapsed_s;
  for (const [name, rows] of Object.entries(arm.scenario_series.guests)) {
    const inGib = cells => cells.map(cell => cell === null ? null : cell / GIB);
    const [held, actual, target] = [inGib(rows.held_bytes), inGib(rows.actual_bytes), inGib(rows.target_bytes)];
    const most = Math.max(...held, ...actual, ...target);
    const readout = element("span", { class: "readout" });
    const panel = element("div", { class: "panel" }, element("header", {}, element("b", {}, name), readout));
    place.append(panel);
    draw(panel, { label: `${name} under ${arm.policy}`, height: 110, padding: [6, 6, 0, 0], width: panel.clientWidth - 12,
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "guests", scales: ["x", null] } },
      hooks: { setCursor: [u => { const i = u.cursor.idx; readout.textContent = i == null || u.cursor.left < 0 || actual[i] === null ? "" : `holds ${actual[i].toFixed(2)} GiB, asked ${target[i].toFixed(2)}, host ${held[i].toFixed(2)}`; }] },
      scales: { x: { time: false }, y: { range: [0, most * 1.05 || 1] } }, axes: axes({ ...timeAxis(time[time.length - 1]), size: 20 }, { space: 30 }, 34),
      series: [{}, { fill: colour("free"), stroke: "transparent", points: { show: false } }, { stroke: colour("deficit"), width: 1, dash: [4, 3], points: { show: false } }, { stroke: colour("target"), width: 1.25, points: { show: false } }] },
      [time, actual, held, target]);
  }
}

function redraw() {
  state.plots.forEach(({ plot }) => plot.destroy());
  state.plots = [];
  drawUnmet(); drawDistress(); drawGuests();
  const isFleet = fleets.some(arm => arm.fleet_series && blockOf(arm) === state.block);
  document.querySelectorAll("[data-of='fleet']").forEach(part => { part.hidden = !isFleet; });
  document.querySelectorAll("[data-of='scenario']").forEach(part => { part.hidden = isFleet; });
  root.dataset.plots = state.plots.length;
}

function choices(place, label, entries) {
  const group = element("div", { role: "group", "aria-label": label }, label);
  for (const { words, policy, pressed, press } of entries) {
    const button = element("button", { type: "button", "aria-pressed": pressed() }, words);
    if (policy) { button.dataset.policy = policy; button.style.setProperty("--c", ink(policy)); }
    button.addEventListener("click", () => {
      press(); redraw();
      [...group.querySelectorAll("button")].forEach((other, index) => other.setAttribute("aria-pressed", entries[index].pressed()));
    });
    group.append(button);
  }
  place.append(group);
}

function key(name, words, kind = "") {
  return element("li", {}, element("span", { class: "key " + kind, style: `--c:var(--${name})` }), words);
}

if (fleets.length) {
  document.getElementById("plots").hidden = false;
  const controls = document.getElementById("controls");
  if (blocks.length > 1) choices(controls, "World", blocks.map(block => ({ words: block, pressed: () => state.block === block, press: () => { state.block = block; } })));
  choices(controls, "Show", ranked.map(policy => ({ words: policy, policy, pressed: () => !state.hidden.has(policy),
    press: () => state.hidden.has(policy) ? state.hidden.delete(policy) : state.hidden.add(policy) })));
  choices(document.getElementById("pick"), "Policy", ranked.map(policy => ({ words: policy, policy, pressed: () => state.picked === policy, press: () => { state.picked = policy; } })));
  document.getElementById("legend").append(key("used", "wanted, and held"), key("free", "held beyond that"), key("deficit", "wanted, not held"), key("target", "held", "line"));
  redraw();
}
document.getElementById("save").addEventListener("click", () => {
  const link = element("a", { download: "aerostat-simulate.json", href: URL.createObjectURL(new Blob([JSON.stringify(result, null, 1)], { type: "application/json" })) });
  link.click();
  URL.revokeObjectURL(link.href);
});
let waiting = 0;
addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(redraw); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
