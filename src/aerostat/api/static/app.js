// The page: which view is shown, and the newest state, which every view is drawn from.
import { follow, get } from "./api.js";
import { doctorView } from "./doctor.js";
import { eventsView } from "./events.js";
import { guestView } from "./guest.js";
import { hostView } from "./host.js";
import { techniquesView } from "./techniques.js";
import { attribute, duration, write } from "./format.js";

const PACE_MS = 1000;
const page = document.getElementById("page");
export const seat = { state: null, sparklines: {}, happened: [] };
let view = null;
let fetching = false;
let askedAt = 0;
let isLinked = false;
const lately = [];

function route() {
  const hash = decodeURIComponent(location.hash.slice(2));
  view?.end?.();
  page.replaceChildren();
  if (hash.startsWith("guest/")) view = guestView(page, seat, hash.slice(6));
  else if (hash === "events") view = eventsView(page, seat);
  else if (hash === "techniques") view = techniquesView(page, seat);
  else if (hash === "doctor") view = doctorView(page, seat);
  else view = hostView(page, seat);
  for (const link of document.querySelectorAll("nav a")) {
    attribute(link, "aria-current", link.dataset.page === view.name ? "page" : null);
  }
  if (seat.state) draw();
}

function draw() {
  const began = performance.now();
  badges(seat.state);
  view?.draw?.();
  const took = performance.now() - began;
  const data = document.documentElement.dataset;
  data.drawn = String(Number(data.drawn || 0) + 1);
  data.slowest = String(Math.max(Number(data.slowest || 0), took).toFixed(1));
  lately.push(took);
  if (lately.length > 25) lately.shift();
  data.typical = [...lately].sort((a, b) => a - b)[lately.length >> 1].toFixed(1);
}

function badges(state) {
  const mode = document.getElementById("mode");
  write(mode, state.mode);
  mode.className = `badge ${state.mode === "enforce" ? "good" : "mild"}`;
  const host = document.getElementById("host-state");
  write(host, `host ${state.host.state}`);
  const tones = { comfortable: "good", soft: "mild", hard: "bad", critical: "bad", unknown: "bad" };
  host.className = `badge ${tones[state.host.state] || ""}`;
  const age = state.daemon.round_age_s;
  const link = document.getElementById("link");
  write(link, !isLinked ? "no connection" : age > 30 ? `no round for ${duration(age)}` : "live");
  link.className = `badge ${isLinked && !(age > 30) ? "good" : "bad"}`;
  const troubles = [state.daemon.failure, state.daemon.host_trouble, state.daemon.store_trouble];
  if (state.host.effect && state.host.effect !== "working") troubles.push(state.host.effect_words);
  const told = troubles.filter(Boolean).join(" · ");
  const trouble = document.getElementById("trouble");
  trouble.hidden = !told;
  write(trouble, told);
}

async function refresh() {
  if (fetching || document.hidden) return;
  fetching = true;
  try {
    seat.state = await get("/v1/state");
    draw();
  } catch (error) {
    document.documentElement.dataset.error = String(error);
  } finally {
    fetching = false;
  }
}

async function refreshSparklines() {
  if (document.hidden) return;
  try {
    seat.sparklines = await get("/v1/sparklines");
  } catch { /* the next time */ }
}

function onEvent(kind, data) {
  if (kind === "happened") {
    seat.happened.unshift(data);
    seat.happened.length = Math.min(seat.happened.length, 500);
    view?.happened?.(data);
  } else if (performance.now() - askedAt >= PACE_MS) {
    askedAt = performance.now();
    refresh();
  }
}

function theme() {
  const kept = localStorage.getItem("aerostat-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = kept || (dark ? "dark" : "light");
}

theme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
document.getElementById("theme").addEventListener("click", () => {
  const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("aerostat-theme", other);
  theme();
  view?.themed?.();
});
addEventListener("hashchange", () => { route(); scrollTo(0, 0); page.focus({ preventScroll: true }); });
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    document.getElementById("filter")?.focus();
    event.preventDefault();
  }
});
route();
await refresh();
refreshSparklines();
setInterval(refreshSparklines, 30000);
setInterval(() => { if (!isLinked && seat.state) draw(); }, 2000);
get("/v1/events?since=1h&limit=500").then((document) => {
  // That a balloon has moved shows in what its guest holds.
  seat.happened = document.events.filter((event) => event.kind !== "balloon_moved").reverse();
  view?.happened?.(null);
}).catch(() => {});
follow(onEvent, (linked) => { isLinked = linked; if (linked) refresh(); else if (seat.state) draw(); });
