// Lays the plots out: a band for each subject, a column for each policy, a panel for each guest.
const { policies, document: result } = JSON.parse(document.getElementById("data").textContent);
const state = { run: 0, hidden: new Set(), plots: [] };
const root = document.documentElement;
addEventListener("error", event => { root.dataset.error = event.message; });

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function key(ink, words, kind = "") {
  return element("li", {}, element("span", { class: "key " + kind, style: `--c:var(--${ink})` }), words);
}

const plotted = policies
  .map(policy => ({ ...policy, arms: policy.arms.map(index => result.arms[index]).filter(arm => arm.series && arm.series.elapsed_s.length) }))
  .filter(policy => policy.arms.length);
// Three columns fit a screen; the reference is the least missed, and a click away.
if (plotted.length > 3) state.hidden.add("unconstrained");
const shownArms = () => plotted.filter(policy => !state.hidden.has(policy.policy))
  .map(policy => ({ policy, arm: policy.arms[Math.min(state.run, policy.arms.length - 1)] }));

function scene() {
  const arms = plotted.flatMap(policy => policy.arms);
  const declared = Object.keys(result.guest_max_bytes || {});
  const seen = new Set(arms.flatMap(arm => Object.keys(arm.series.guests)));
  const guests = [...declared.filter(name => seen.has(name)), ...[...seen].filter(name => !declared.includes(name)).sort()];
  const cells = name => arms.flatMap(arm => Object.values(arm.series.guests).flatMap(rows => rows[name] || []));
  const highest = (list, floor) => list.reduce((most, cell) => cell !== null && cell > most ? cell : most, floor);
  const max = result.guest_max_bytes || {};
  const sums = arms.flatMap(arm => arm.series.elapsed_s.map((_, i) => Object.values(arm.series.guests)
    .reduce((sum, rows) => sum + (rows.actual_bytes?.[i] ?? 0), 0)));
  return {
    guests, max, slo_s: result.slo_s,
    end_s: highest(arms.flatMap(arm => arm.series.elapsed_s), 1),
    highest: highest([...Object.values(max), ...cells("actual_bytes"), ...cells("target_bytes")], MIB),
    most_offered: highest([...cells("offered")], 1),
    slowest: Math.log10(Math.max(100, highest(cells("latency_p99_s"), 0) * 1000)) + .12,
    most_held: highest([...arms.flatMap(arm => arm.series.host_held_bytes || []), ...arms.map(arm => arm.budget_bytes ?? 0), ...sums], MIB),
  };
}

const percent = ratio => ratio === undefined ? "" : (ratio < 1 ? Math.min(99.9, ratio * 100).toFixed(1) : "100") + " %";
const inMib = bytes => bytes === undefined ? "–" : round(bytes / MIB) + " MiB";
const bands = guests => [
  { title: "Memory of each guest", unit: "MiB", panel: memoryPanel, height: 118, each: true,
    legend: [key("used", "used"), key("cache", "cache"), key("free", "free"), key("hatch", "in the balloon: others may have it", "hatch"),
      key("target", "target", "line"), key("hot", "hot set of the workload", "dash")],
    rest: (arm, guest) => { const own = arm.guests?.[guest] || {}; return own.guest_swap_in_bytes === undefined ? "" : `swap in ${inMib(own.guest_swap_in_bytes)}, out ${inMib(own.guest_swap_out_bytes)}`; } },
  { title: "Requests served of those offered", unit: "a second", panel: workPanel, height: 74, each: true,
    legend: [key("served", "served"), key("deficit", "offered, not served"), key("offered", "offered", "line")],
    rest: (arm, guest) => { const own = arm.guests?.[guest] || {}; return own.served_ratio === undefined ? "" : `served ${percent(own.served_ratio)}, starved ${own.starved_s} s`; } },
  { title: "p99 latency", unit: "logarithmic", panel: latencyPanel, height: 150,
    legend: guests.map((guest, index) => key("g" + index % 6, guest, "line")),
    rest: arm => arm.latency_p99_s === undefined ? "" : `whole run ${inTime(Math.log10(arm.latency_p99_s * 1000))}` },
  { title: "Memory of the host", unit: "MiB", panel: hostPanel, height: 150,
    legend: [key("cache", "held, as the host measures it"), key("used", "sum of actual", "line"), key("target", "budget", "dash")],
    rest: arm => arm.host_memory_mean_bytes === undefined ? "" : `mean ${inMib(arm.host_memory_mean_bytes)}, peak ${inMib(arm.host_memory_peak_bytes)}` },
];

function panelElement(panel, band, around, column) {
  const readout = element("span", { class: "readout" });
  const rest = band.rest(panel.arm, panel.guest);
  readout.textContent = rest;
  const host = element("div", { class: "panel" }, element("header", {}, element("b", {}, panel.guest ?? "all guests"), readout));
  column.append(host);
  const made = band.panel(panel, around);
  made.options.width = Math.max(200, host.clientWidth);
  made.options.hooks = { setCursor: [u => { readout.textContent = u.cursor.idx == null || u.cursor.left < 0 ? rest : made.tell(u.cursor.idx); }] };
  const plot = new uPlot(made.options, made.data, host);
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", `${band.title}, ${panel.guest ?? "all guests"}, ${panel.title}: ${rest}`);
  state.plots.push({ plot, host, arm: panel.arm });
}

function drawColumn(band, around, { policy, arm }, columns) {
  const column = element("div", { class: "column", "data-policy": policy.policy }, element("h4", {}, policy.title,
    ...(arm.valid ? [] : [element("small", {}, "not counted: " + arm.why_invalid)])));
  columns.append(column);
  const guests = band.each ? around.guests.filter(guest => arm.series.guests[guest]) : [undefined];
  guests.forEach((guest, index) => panelElement(
    { arm, guest, title: policy.title, height: band.height, named: index === 0, last: index === guests.length - 1 }, band, around, column));
}

function draw() {
  state.plots.forEach(({ plot }) => plot.destroy());
  state.plots = [];
  const section = document.getElementById("plots");
  section.querySelectorAll(".band").forEach(old => old.remove());
  section.hidden = plotted.length === 0;
  const around = scene();
  for (const band of bands(around.guests)) {
    const columns = element("div", { class: "columns" });
    section.append(element("div", { class: "band" }, element("h3", {}, `${band.title}, ${band.unit}`), element("ul", { class: "legend" }, ...band.legend), columns));
    for (const shown of shownArms()) drawColumn(band, around, shown, columns);
  }
  root.dataset.plots = state.plots.length;
}

function choices(label, entries) {
  const group = element("div", { role: "group", "aria-label": label }, label);
  for (const { words, pressed, press } of entries) {
    const button = element("button", { type: "button", "aria-pressed": pressed() }, words);
    button.addEventListener("click", () => {
      press(); draw(); speak();
      for (const [index, other] of [...group.querySelectorAll("button")].entries()) other.setAttribute("aria-pressed", entries[index].pressed());
    });
    group.append(button);
  }
  return group;
}

function controls() {
  const place = document.getElementById("controls");
  const runs = Math.max(0, ...plotted.map(policy => policy.arms.length));
  if (plotted.length > 1) place.append(choices("Show", plotted.map(({ policy, title }) => ({
    words: title, pressed: () => !state.hidden.has(policy),
    press: () => state.hidden.has(policy) ? state.hidden.delete(policy) : state.hidden.size < plotted.length - 1 && state.hidden.add(policy) }))));
  if (runs > 1) place.append(choices("Run", Array.from({ length: runs }, (_, run) => ({
    words: String(run + 1), pressed: () => state.run === run, press: () => { state.run = run; } }))));
}

function pointAt(arm, elapsed_s) {
  for (const { plot } of state.plots.filter(entry => entry.arm === arm).slice(0, 1))
    plot.setCursor({ left: plot.valToPos(elapsed_s, "x"), top: 1 }, true, true);
}

function speak() {
  const place = document.getElementById("decisions");
  place.replaceChildren();
  for (const { policy, arm } of shownArms().filter(({ arm }) => (arm.decisions || []).length)) {
    const list = element("ol", { tabindex: "0" }, ...arm.decisions.map(({ elapsed_s, guest, words }) => {
      const item = element("li", {}, element("time", {}, elapsed_s.toFixed(1) + " s"), element("b", {}, guest), element("span", {}, words));
      item.addEventListener("mouseenter", () => pointAt(arm, elapsed_s));
      return item;
    }));
    place.append(element("div", { class: "said" }, element("h4", {}, `${policy.title}: ${arm.decisions.length} decisions`), list));
  }
  document.getElementById("spoken").hidden = !place.children.length;
}

function save() {
  const link = element("a", { download: `aerostat-${result.name || "result"}.json`,
    href: URL.createObjectURL(new Blob([JSON.stringify(result, null, 1)], { type: "application/json" })) });
  link.click();
  URL.revokeObjectURL(link.href);
}

document.getElementById("save").hidden = false;
document.getElementById("save").addEventListener("click", save);
controls();
draw();
speak();
let waiting = 0;
addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() =>
  state.plots.forEach(({ plot, host }) => plot.setSize({ width: Math.max(200, host.clientWidth), height: plot.height }))); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
