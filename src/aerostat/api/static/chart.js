// A guest over time: memory by kind with target and decisions, and the small charts below it.
import { clock, day, element, size, two, write } from "./format.js";

const SYNC = "guest";
const NEAR_PX = 9;
const APART_PX = 11;

export function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }

export function percent(ratio) { return ratio < 0.0995 && ratio > 0 ? `${(100 * ratio).toFixed(1)} %` : `${Math.round(100 * ratio)} %`; }

function rate(bytes) { return bytes === undefined || bytes === null ? "not told" : `${size(Math.round(bytes))}/s`; }

// What is to be drawn of a guest's history; null where the history has no such figure at all.
export function columnsOf(past, most) {
  const at = past?.at || [];
  const column = (name) => past?.[name] || null;
  const filled = (name) => column(name) || at.map(() => null);
  const actual = filled("actual_bytes"), used = filled("used_bytes"), cache = filled("cache_bytes");
  const held = (bytes, i) => (bytes === null ? null : Math.min(bytes, actual[i] ?? bytes));
  return {
    at, actual, used: used.map(held), max: at.map(() => most ?? null),
    cached: used.map((bytes, i) => (bytes === null ? null : held(bytes + (cache[i] ?? 0), i))),
    target: filled("target_bytes"), demand: filled("demand_bytes"), cache, free: filled("free_bytes"),
    pressure: column("pressure_some_ratio"), swapIn: column("swap_in_bytes_per_s"), swapOut: column("swap_out_bytes_per_s"),
    hostSwap: column("host_swap_bytes"),
  };
}

// 24 hours, and a date only where a day begins.
function times(_, ticks, __, ___, increment) {
  let before = null;
  return ticks.map((seconds) => {
    const date = new Date(seconds * 1000);
    const isNewDay = before !== null && before !== date.getDate();
    before = date.getDate();
    if (increment >= 86400) return day(date);
    const text = increment < 60 ? clock(date) : `${two(date.getHours())}:${two(date.getMinutes())}`;
    return isNewDay ? `${text}\n${day(date)}` : text;
  });
}

const INCREMENTS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800];

function frame(place, { height, span, y, isSmall }) {
  const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 }, font };
  return {
    width: Math.max(200, place.clientWidth), height,
    padding: [10, 14, 0, 0], legend: { show: false },
    cursor: { sync: { key: SYNC, setSeries: false }, drag: { setScale: false, x: false, y: false }, points: { show: false } },
    scales: { x: { time: true, range: () => span }, y: { range: y.range } },
    axes: [
      { ...axis, incrs: INCREMENTS_S, values: times, space: isSmall ? 64 : 76, size: span[1] - span[0] > 40000 && span[1] - span[0] < 200000 ? 44 : 30, gap: 4 },
      { ...axis, size: isSmall ? 66 : 76, gap: 4, ...y.axis },
    ],
  };
}

const powers = { incrs: Array.from({ length: 34 }, (_, i) => 2 ** (i + 16)), values: (_, ticks) => ticks.map((tick) => size(Math.round(tick))) };

function hatched(bare, line) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = bare;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) { pen.moveTo(shift - 1, 9); pen.lineTo(shift + 9, -1); }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

// A change is drawn where its time and its new target meet: up for given, down for taken.
function marksOf(plot, decisions) {
  const [from, until] = [plot.scales.x.min, plot.scales.x.max];
  const marks = decisions.filter((one) => one.at >= from && one.at <= until).map((one) => ({
    ...one, x: plot.valToPos(one.at, "x"), y: plot.valToPos(one.bytes, "y"),
  }));
  // Where many lie upon each other, the greatest change speaks for them, and says how many they are.
  const kept = [];
  for (const mark of marks) {
    const last = kept.at(-1);
    if (!last || mark.x - last.x >= APART_PX || mark.isUp !== last.isUp) kept.push({ ...mark, count: 1 });
    else kept[kept.length - 1] = { ...(mark.change > last.change ? mark : last), x: last.x, count: last.count + 1 };
  }
  return kept;
}

function drawMarks(plot, marks) {
  const pen = plot.ctx, ratio = uPlot.pxRatio;
  pen.save();
  for (const mark of marks) {
    const x = plot.bbox.left + mark.x * ratio, y = plot.bbox.top + mark.y * ratio, r = 4.5 * ratio;
    const tip = mark.isUp ? -r : r;
    pen.beginPath();
    pen.moveTo(x, y + tip);
    pen.lineTo(x - r, y - tip);
    pen.lineTo(x + r, y - tip);
    pen.closePath();
    pen.fillStyle = colour(mark.isDistress ? "bad" : mark.isUp ? "gave" : "took");
    pen.strokeStyle = colour("panel");
    pen.lineWidth = 1.5 * ratio;
    pen.stroke();
    pen.fill();
  }
  pen.restore();
}

export function memoryChart(place, columns, { span, decisions, onCursor }) {
  const { at, actual, cached, used, max, target, demand } = columns;
  const layers = [
    [max, "line", hatched(colour("ballooned"), colour("line"))], [actual, "free", colour("free")],
    [cached, "cache", colour("cache")], [used, "used", colour("used")],
  ];
  const most = Math.max(1, ...[max, actual, target, demand].flat().filter(Number.isFinite));
  let marks = [];
  const tip = element("div", { class: "tip", role: "status", hidden: true });
  const plot = new uPlot({
    ...frame(place, { height: 280, span, y: { range: [0, most * 1.06], axis: powers } }),
    series: [{},
      ...layers.map(([, stroke, fill]) => ({ stroke: colour(stroke), width: 0, fill, spanGaps: true, points: { show: false } })),
      { stroke: colour("demand"), width: 1.5, spanGaps: true, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
      { stroke: colour("target"), width: 2, dash: [6, 4], spanGaps: true, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) }],
    hooks: {
      draw: [(u) => { marks = marksOf(u, decisions); drawMarks(u, marks); told(marks); }],
      setCursor: [(u) => { onCursor(u.cursor.idx ?? null); hover(u); }],
    },
  }, [at, ...layers.map(([values]) => values), demand, target], place);
  plot.over.append(tip);

  // For whoever cannot see the picture: how many decisions it shows, and where the last one is.
  function told(all) {
    place.dataset.decisions = String(all.length);
    const last = all.at(-1);
    place.dataset.last = last ? `${last.x.toFixed(1)} ${last.y.toFixed(1)}` : "";
  }

  function hover(u) {
    const near = (mark) => Math.hypot(mark.x - u.cursor.left, mark.y - u.cursor.top);
    const mark = marks.reduce((best, one) => (near(one) < near(best ?? one) + (best ? 0 : 1) ? one : best), null);
    const isNear = mark && near(mark) <= NEAR_PX;
    tip.hidden = !isNear;
    if (!isNear) return;
    write(tip, `${clock(mark.at * 1000)} · ${mark.words}${mark.count > 1 ? ` (and ${mark.count - 1} more about then)` : ""}`);
    const isLate = mark.x > u.over.clientWidth / 2;
    tip.style.left = isLate ? "" : `${mark.x + 10}px`;
    tip.style.right = isLate ? `${u.over.clientWidth - mark.x + 10}px` : "";
    tip.style.top = `${Math.max(0, mark.y - 34)}px`;
  }
  return plot;
}

function small(place, at, lines, { span, y }) {
  return new uPlot({
    ...frame(place, { height: 120, span, y, isSmall: true }),
    series: [{}, ...lines.map(([, name, isFilled]) => ({
      stroke: colour(name), width: 1.5, spanGaps: true, points: { show: false }, fill: isFilled ? `${colour(name)}44` : undefined,
    }))],
  }, [at, ...lines.map(([values]) => values)], place);
}

const nothing = (columns) => columns.every((column) => column === null || column.every((value) => value === null));

export const SMALL = [
  {
    title: "Pressure", note: "share of time that its programs waited for memory",
    none: "Its driver does not tell how long it waits; Aerostat's agent in the guest would.",
    columns: (c) => [c.pressure],
    draw: (place, c, span) => small(place, c.at, [[c.pressure, "bad", true]], { span, y: {
      range: (_, __, top) => [0, Math.min(1, Math.max(0.05, (top || 0) * 1.15))],
      axis: { incrs: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5], values: (_, ticks) => ticks.map(percent) } } }),
    now: (c, i) => (c.pressure ? percent(c.pressure[i] ?? 0) : ""),
  },
  {
    title: "Guest swap", note: "written out and read back by the guest",
    none: "It does not tell what it swaps.",
    columns: (c) => [c.swapIn, c.swapOut],
    draw: (place, c, span) => small(place, c.at, [[c.swapOut, "took", true], [c.swapIn, "used", false]].filter(([values]) => values), { span, y: {
      range: (_, __, top) => [0, Math.max(2 ** 20, (top || 0) * 1.15)],
      axis: { ...powers, values: (_, ticks) => ticks.map((tick) => (tick ? `${size(tick)}/s` : "0")), size: 84 } } }),
    now: (c, i) => `out ${rate(c.swapOut?.[i])}, in ${rate(c.swapIn?.[i])}`,
  },
  {
    title: "In the host's swap", note: "of its memory, taken without its knowledge",
    none: "The host's swap is not counted for this VM.",
    columns: (c) => [c.hostSwap],
    draw: (place, c, span) => small(place, c.at, [[c.hostSwap, "itself", true]], { span, y: {
      range: (_, __, top) => [0, Math.max(2 ** 20, (top || 0) * 1.15)], axis: powers } }),
    now: (c, i) => size(c.hostSwap?.[i]),
  },
];

export function smallChart(which, place, columns, span) {
  if (nothing(which.columns(columns))) {
    place.replaceChildren(element("p", { class: "empty", text: which.none }));
    return null;
  }
  place.replaceChildren();
  return which.draw(place, columns, span);
}
