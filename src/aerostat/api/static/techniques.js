// What takes memory back on this host, what each has got so far, and what the ladder may still use.
import { get } from "./api.js";
import { eventItem } from "./events.js";
import { ABSENT, attribute, duration, element, size, width, write } from "./format.js";

const STATES = ["comfortable", "soft", "hard", "critical"];
const STEPS = [
  ["give_surplus", "give what is left over", "guests get what nobody needs"],
  ["reporting", "free page reporting", "guests give back by themselves what lies free in them"],
  ["merge", "merge identical pages", "the host's KSM; revocable: any write takes it back"],
  ["take_free", "balloon: free memory", "what lies free in guests"],
  ["take_by_weight", "balloon: by weight", "what calm guests use least, in small steps"],
  ["split", "split huge pages", "of which balloons have taken a part: else the host gets nothing back"],
  ["compress", "compress", "guests' cold memory, in the host's RAM (zswap, zram)"],
  ["swap", "swap", "guests' cold memory, to the host's disk"],
  ["give_to_distress_only", "give in distress only", "nobody else grows"],
  ["refuse_starts", "refuse new starts", "an admission query is answered with no"],
  ["alert", "alert", "somebody has to look"],
];

export function techniquesView(page, seat) {
  const cards = {
    balloon: card("Ballooning", "balloon"), reporting: card("Page reporting", "free"),
    merge: card("Merging: KSM", "cache"), compress: card("zswap and zram", "used"),
    swap: card("Host swap", "itself"),
  };
  const heads = STATES.map((state) => element("th", { class: "at", scope: "col", text: state }));
  const rows = STEPS.map(([step, words, more]) => {
    const chip = element("span", { class: "chip order", text: "in use", hidden: true });
    const cells = STATES.map(() => element("td", { class: "at" }));
    const name = element("th", { scope: "row" }, words, chip, element("small", { text: more }));
    return { step, chip, cells, tr: element("tr", {}, name, ...cells) };
  });
  const list = element("ul", { class: "events" });
  const empty = element("p", { class: "empty", text: "The host's own techniques did nothing in the last hour." });
  page.append(
    element("div", { class: "cards" }, ...Object.values(cards).map(({ panel }) => panel)),
    element("section", { class: "panel" }, element("h2", { text: "The ladder" }),
      element("p", { class: "lead", text: "What each state of the host may use, from the gentlest on; the marked column is now." }),
      element("table", { class: "ladder" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col", text: "" }), ...heads)),
        element("tbody", {}, ...rows.map(({ tr }) => tr)))),
    element("section", { class: "panel" }, element("h2", { text: "What they did" }), list, empty),
  );

  function draw() {
    if (!seat.state) return;
    const { host, guests } = seat.state;
    const { account = {}, memory = {}, ladder = {}, in_use: inUse = [] } = host;
    const stuck = guests.filter((guest) => guest.is_stalled).length;
    const swappedOut = guests.filter((guest) => guest.host_swap_bytes > 0).length;
    const swapped = (memory.swap_total_bytes ?? 0) - (memory.swap_free_bytes ?? 0);
    const { swap, zswap, zram, ksm } = told?.techniques ?? {};
    fill(cards.balloon, account.ballooned_bytes, { of: host.max_bytes, isOn: true, rows: [
      ["guests booted with", size(host.max_bytes)], ["balloons that are stuck", String(stuck)]],
      words: "What balloons hold is the host's, until a guest needs it." });
    fill(cards.reporting, account.untouched_bytes, { of: host.committed_bytes, isOn: account.untouched_bytes > 0, rows: [
      ["guests hold", size(host.committed_bytes)]],
      words: "Held by guests and taking no RAM: told to be free, or not touched yet." });
    fill(cards.merge, ksm?.saved_bytes ?? memory.revocable_bytes, { of: memory.total_bytes, isOn: inUse.includes("merge") || ksm?.taken_bytes > 0, rows: [
      ["merged pages", size(ksm?.taken_bytes)], ["its own tables", size(ksm?.held_bytes)], ["ksmd's CPU", cpu(ksm)]],
      words: `Any write takes it back, so it is never counted as capacity. ${use("merge")}`, probe: ksm });
    const pools = [zswap, zram].filter((one) => one?.taken_bytes !== undefined);
    const sum = (name) => (pools.length ? pools.reduce((all, one) => all + (one[name] ?? 0), 0) : undefined);
    fill(cards.compress, sum("saved_bytes"), { of: memory.total_bytes, isOn: inUse.includes("compress") || sum("taken_bytes") > 0, rows: [
      ["compressed", size(sum("taken_bytes"))], ["the pools take", size(sum("held_bytes"))],
      ["ratio", sum("held_bytes") > 0 ? `${(sum("taken_bytes") / sum("held_bytes")).toFixed(1)} : 1` : "nothing in it"]],
      words: use("compress"), probe: zswap?.is_usable ? zswap : zram ?? zswap });
    fill(cards.swap, swap?.taken_bytes ?? swapped, { of: memory.swap_total_bytes, isOn: swapped > 0, rows: [
      ["guests in it", swappedOut ? `${swappedOut}, ${size(account.swapped_bytes)}` : "none"], ["the host's swap", size(memory.swap_total_bytes)],
      ["written, read back", `${size(swap?.out_bytes ?? memory.swap_out_bytes)}, ${size(swap?.in_bytes ?? memory.swap_in_bytes)}`]],
      words: use("swap"), probe: swap });
    heads.forEach((head, i) => mark(head, STATES[i] === host.state));
    for (const { step, chip, cells } of rows) {
      chip.hidden = !inUse.includes(step);
      cells.forEach((cell, i) => {
        const may = (ladder[STATES[i]] || []).includes(step);
        write(cell, may ? "●" : "·");
        cell.className = `at ${may ? "yes" : "no"}`;
        attribute(cell, "aria-label", may ? "may be used" : "is not used");
        mark(cell, STATES[i] === host.state);
      });
    }
    function use(step) {
      const states = STATES.filter((state) => (ladder[state] || []).includes(step));
      return states.length ? `The ladder may use it when the host is ${states.join(", ")}.` : "The ladder does not use it here.";
    }
  }

  function happened() {
    const told = seat.happened.filter((event) => event.kind === "technique").slice(0, 50);
    list.replaceChildren(...told.map((event) => eventItem(event)));
    empty.hidden = told.length > 0;
  }

  async function look() {
    try {
      const document = await get("/v1/techniques");
      if (isOver) return;
      told = document;
      draw();
    } catch { clearInterval(timer); /* a daemon that does not look at them: the state's figures stay */ }
  }

  let told = null, isOver = false;
  const timer = setInterval(() => { if (!document.hidden) look(); }, 5000);
  look();
  happened();
  return { name: "techniques", draw, happened, end: () => { isOver = true; clearInterval(timer); } };
}

function card(title, kind) {
  const big = element("div", { class: "big num" }), words = element("p"), chip = element("span", { class: "chip" });
  const share = element("i", { class: `k-${kind}` }), rows = element("dl", { class: "pairs" }), probe = element("p", { class: "probe" });
  return { big, words, chip, share, rows, probe, panel: element("section", { class: "panel technique" },
    element("h2", {}, title, chip), big, element("div", { class: "stack thin" }, share), rows, words, probe) };
}

function fill(card, bytes, { of, isOn, rows, words, probe }) {
  write(card.big, bytes === undefined ? "nothing" : size(bytes));
  write(card.chip, isOn ? "on" : "off");
  card.chip.className = `chip ${isOn ? "order" : ""}`;
  width(card.share, of ? (bytes ?? 0) / of : 0);
  const known = rows.filter(([, figure]) => figure !== ABSENT);
  const text = known.flat().join("|");
  if (card.rowText !== text) {
    card.rowText = text;
    card.rows.replaceChildren(...known.map(([name, figure]) => element("div", {}, element("dt", { text: name }), element("dd", { class: "num", text: figure }))));
  }
  write(card.words, words);
  card.probe.hidden = !probe || probe.is_usable;
  write(card.probe, probe?.words ?? "");
}

function cpu(technique) { return technique?.cpu_s === undefined ? ABSENT : `${duration(technique.cpu_s)} since boot`; }

function mark(cell, isNow) { cell.classList.toggle("now", isNow); }
