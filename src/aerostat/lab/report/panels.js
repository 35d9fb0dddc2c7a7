// What each plot shows: its columns of numbers, and how uPlot draws them. No text reaches innerHTML.
"use strict";
const MIB = 1048576;
const SYNC = "seconds";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function hatch() {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour("ballooned");
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colour("hatch");
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) { pen.moveTo(shift, 8); pen.lineTo(shift + 8, 0); }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function scaled(cells, by) { return (cells || []).map(cell => cell === null ? null : cell * by); }
function mib(cells, length) { return cells ? scaled(cells, 1 / MIB) : Array(length).fill(null); }
function round(value) { return value.toFixed(0); }
function area(fill) { return { fill, stroke: "transparent", width: 0, points: { show: false } }; }
function line(stroke, width, dash) { return { stroke, width, dash, points: { show: false } }; }

// Vertical hairlines where phases begin, a veil over the warm-up, and who grew, above the plot.
function phaseMarks(arm, named) {
  const phases = arm.phases || [];
  const least = {};
  for (const phase of phases) for (const [guest, hot] of Object.entries(phase.hot_bytes))
    least[guest] = Math.min(hot, least[guest] ?? hot);
  return {
    hooks: {
      drawClear: u => {
        if (!phases.length) return;
        const edge = u.valToPos(phases[0].start_s, "x", true);
        u.ctx.fillStyle = colour("warm");
        u.ctx.fillRect(u.bbox.left, u.bbox.top, Math.max(0, edge - u.bbox.left), u.bbox.height);
      },
      draw: u => phases.forEach((phase, index) => {
        const x = Math.round(u.valToPos(phase.start_s, "x", true));
        const pen = u.ctx;
        pen.save();
        pen.strokeStyle = colour("phase");
        pen.lineWidth = devicePixelRatio;
        pen.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
        pen.beginPath(); pen.moveTo(x, u.bbox.top - (named ? 12 * devicePixelRatio : 0)); pen.lineTo(x, u.bbox.top + u.bbox.height); pen.stroke();
        if (named) {
          const before = index ? phases[index - 1].hot_bytes : least;
          const grown = Object.keys(phase.hot_bytes).filter(guest => phase.hot_bytes[guest] > (before[guest] ?? 0));
          pen.fillStyle = colour("soft");
          pen.textAlign = "left";
          pen.textBaseline = "alphabetic";
          pen.font = 10.5 * devicePixelRatio + "px system-ui, sans-serif";
          const room = u.valToPos(phase.end_s, "x", true) - x - 6 * devicePixelRatio;
          const words = grown.length ? grown.join(", ") + " grows" : "";
          if (pen.measureText(words).width <= room) pen.fillText(words, x + 4 * devicePixelRatio, u.bbox.top - 4 * devicePixelRatio);
        }
        pen.restore();
      }),
    },
  };
}

// A level with its name written on it, such as a budget or a promise.
function level(value, words, ink) {
  return {
    hooks: {
      draw: u => {
        const y = Math.round(u.valToPos(value, "y", true));
        const pen = u.ctx;
        pen.save();
        pen.strokeStyle = pen.fillStyle = ink;
        pen.lineWidth = 1.25 * devicePixelRatio;
        pen.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
        pen.beginPath(); pen.moveTo(u.bbox.left, y); pen.lineTo(u.bbox.left + u.bbox.width, y); pen.stroke();
        pen.font = 10.5 * devicePixelRatio + "px system-ui, sans-serif";
        pen.textAlign = "right";
        pen.textBaseline = "alphabetic";
        pen.fillText(words, u.bbox.left + u.bbox.width - 4 * devicePixelRatio, y - 4 * devicePixelRatio);
        pen.restore();
      },
    },
  };
}

function axes(withTime, y) {
  const shared = { stroke: colour("faint"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  return [
    { ...shared, size: withTime ? 22 : 4, gap: 3, space: 46, grid: { show: false },
      values: (u, splits) => splits.map(split => withTime ? split + " s" : "") },
    { ...shared, size: 42, gap: 4, grid: { stroke: colour("grid"), width: 1 }, ...y },
  ];
}

function options(panel, scene, plugins, series, y, range) {
  return {
    width: 320, height: panel.height + (panel.last ? 18 : 0), pxAlign: 1,
    padding: [panel.named ? 16 : 6, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: SYNC, scales: ["x", null] } },
    scales: { x: { time: false, range: [0, scene.end_s] }, y: { range } },
    axes: axes(panel.last, y), series: [{}, ...series],
    plugins: [phaseMarks(panel.arm, panel.named), ...plugins],
  };
}

// Stacked from below: used, cache, free; what the guest holds but did not account for; the balloon.
function memoryPanel(panel, scene) {
  const rows = panel.arm.series.guests[panel.guest], time = panel.arm.series.elapsed_s;
  const get = name => mib(rows[name], time.length);
  const [used, cache, free, actual, target, hot] = ["used", "cache", "free", "actual", "target", "hot"].map(name => get(name + "_bytes"));
  const most = (scene.max[panel.guest] || 0) / MIB;
  const cap = (value, index) => actual[index] === null ? value : Math.min(value, actual[index]);
  const upTo = parts => time.map((_, i) => parts.some(part => part[i] === null) ? null : cap(parts.reduce((sum, part) => sum + part[i], 0), i));
  const top = scene.highest / MIB;
  const data = [time, actual.map(value => value === null ? null : most), actual, upTo([used, cache, free]), upTo([used, cache]), upTo([used]), target, hot];
  const series = [area(hatch()), area(colour("unknown")), area(colour("free")), area(colour("cache")), area(colour("used")),
    line(colour("target"), 1.75), line(colour("hot"), 1.75, [5, 4])];
  const tell = i => `${time[i].toFixed(0)} s` + [["used", used], ["cache", cache], ["free", free], ["target", target], ["hot", hot]]
    .filter(([, cells]) => cells[i] !== null).map(([word, cells]) => `, ${word} ${round(cells[i])}`).join("");
  const y = { splits: () => [0, .25, .5, .75, 1].map(part => part * top), values: (u, splits) => splits.map((split, i) => i % 2 ? "" : round(split)) };
  return { data, options: options(panel, scene, [], series, y, [0, top * 1.01]), tell };
}

function workPanel(panel, scene) {
  const rows = panel.arm.series.guests[panel.guest], time = panel.arm.series.elapsed_s;
  const blank = Array(time.length).fill(null);
  const offered = rows.offered || blank, served = rows.served || blank;
  const series = [area(colour("deficit")), area(colour("served")), line(colour("offered"), 1.25)];
  const tell = i => served[i] === null ? `${time[i].toFixed(0)} s: no report`
    : `${time[i].toFixed(0)} s: served ${round(served[i])} of ${round(offered[i])} a second`;
  const reached = time.map((_, i) => served[i] === null ? null : Math.min(served[i], offered[i]));
  const top = scene.most_offered;
  const y = { splits: () => [0, top / 2, top], values: (u, splits) => splits.map(split => split >= 1000 ? split / 1000 + " k" : round(split)) };
  return { data: [time, offered, reached, offered], options: options(panel, scene, [], series, y, [0, top * 1.06]), tell };
}

function latencyPanel(panel, scene) {
  const time = panel.arm.series.elapsed_s, names = scene.guests;
  const columns = names.map(name => (panel.arm.series.guests[name]?.latency_p99_s || Array(time.length).fill(null))
    .map(cell => cell === null || cell <= 0 ? null : Math.log10(cell * 1000)));
  const series = names.map((_, index) => line(colour("g" + index % 6), 1.6));
  const tell = i => `${time[i].toFixed(0)} s` + names.map((name, n) => columns[n][i] === null ? "" : `, ${name} ${inTime(columns[n][i])}`).join("");
  const marks = { 0: "1 ms", 1: "10 ms", 2: "100 ms", 3: "1 s", 4: "10 s" };
  const y = { splits: () => [0, 1, 2, 3, 4].filter(mark => mark <= scene.slowest), values: (u, splits) => splits.map(split => marks[split]), size: 46 };
  const promise = scene.slo_s ? [level(Math.log10(scene.slo_s * 1000), `in time: ${round(scene.slo_s * 1000)} ms`, colour("soft"))] : [];
  return { data: [time, ...columns], options: options(panel, scene, promise, series, y, [-.15, scene.slowest]), tell };
}

function inTime(exponent) {
  const milliseconds = 10 ** exponent;
  return milliseconds < 10 ? milliseconds.toFixed(1) + " ms" : round(milliseconds) + " ms";
}

function hostPanel(panel, scene) {
  const time = panel.arm.series.elapsed_s;
  const held = mib(panel.arm.series.host_held_bytes, time.length);
  const actual = time.map((_, i) => {
    const parts = scene.guests.map(name => panel.arm.series.guests[name]?.actual_bytes?.[i] ?? null);
    return parts.some(part => part === null) ? null : parts.reduce((sum, part) => sum + part, 0) / MIB;
  });
  const series = [area(colour("cache")), line(colour("used"), 1.75)];
  const tell = i => `${time[i].toFixed(0)} s` + [["held", held], ["sum of actual", actual]]
    .filter(([, cells]) => cells[i] !== null).map(([word, cells]) => `, ${word} ${round(cells[i])} MiB`).join("");
  const budget = panel.arm.budget_bytes ? [level(panel.arm.budget_bytes / MIB, `budget ${round(panel.arm.budget_bytes / MIB)} MiB`, colour("target"))] : [];
  const y = { values: (u, splits) => splits.map(round), space: 34 };
  return { data: [time, held, actual], options: options(panel, scene, budget, series, y, [0, scene.most_held / MIB * 1.12]), tell };
}
