// What takes memory back on this host, what each has got so far, and what the ladder may still use.
import { eventItem } from "./events.js";
import { attribute, element, size, write } from "./format.js";

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
    balloon: card("Ballooning"), reporting: card("Not touched, or given back"),
    swap: card("Overcommit: host swap"), compress: card("Compression"), merge: card("Deduplication"),
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
    fill(cards.balloon, size(account.ballooned_bytes), `of ${size(host.max_bytes)} that guests booted with${stuck ? `; ${stuck} stuck` : ""}`);
    fill(cards.reporting, size(account.untouched_bytes), "held by guests and taking no RAM: not touched yet, or told to be free");
    fill(cards.swap, size(account.swapped_bytes), `of ${swappedOut} guests; ${size(swapped)} of ${size(memory.swap_total_bytes)} of the host's swap are taken`);
    fill(cards.compress, inUse.includes("compress") ? "on" : "not used", use("compress"));
    fill(cards.merge, size(memory.revocable_bytes ?? 0), `saved by merging; revocable, so it is never counted as capacity. ${use("merge")}`);
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

  happened();
  return { name: "techniques", draw, happened };
}

function card(title) {
  const big = element("div", { class: "big num" });
  const words = element("p");
  return { big, words, panel: element("section", { class: "panel" }, element("h2", { text: title }), big, words) };
}

function fill({ big, words }, figure, text) {
  write(big, figure);
  write(words, text);
}

function mark(cell, isNow) { cell.classList.toggle("now", isNow); }
