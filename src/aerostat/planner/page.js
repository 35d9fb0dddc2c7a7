// The curve of risk: a line for each technique, VMs a host across, what lacked upwards.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colours = ["#6b7280", "#b45309", "#ca8a04", "#9333ea", "#db2777", "#1d4ed8", "#0f766e"];
  const place = document.getElementById("risk");
  const numbers = [...new Set(data.curves.flatMap((c) => c.points.map((p) => p[0])))].sort((a, b) => a - b);
  const lines = data.curves.map((curve) => {
    const known = new Map(curve.points);
    return numbers.map((n) => (known.has(n) ? known.get(n) * 100 : null));
  });
  const options = {
    width: Math.max(320, place.clientWidth),
    height: 340,
    scales: { x: { time: false }, y: { range: (_u, _low, high) => [0, Math.min(high, data.bound * 100 * 8)] } },
    axes: [{ label: "VMs a host" }, { label: "lacking, %" }],
    series: [
      { label: "VMs a host" },
      ...data.curves.map((curve, i) => ({
        label: curve.title,
        stroke: colours[i % colours.length],
        width: 2,
        spanGaps: true,
        points: { show: true, size: 5 },
        value: (_u, v) => (v === null ? "–" : v.toFixed(3) + " %"),
      })),
      { label: "bound", stroke: "#b3261e", dash: [6, 4], width: 1, points: { show: false } },
    ],
  };
  const plot = new uPlot(options, [numbers, ...lines, numbers.map(() => data.bound * 100)], place);
  addEventListener("resize", () => plot.setSize({ width: Math.max(320, place.clientWidth), height: 340 }));
})();
