// What works on this host and in its VMs, what does not, and the exact change that would help.
import { get } from "./api.js";
import { attribute, duration, element, write } from "./format.js";

const GRADES = { problem: "problem", advice: "advice", unknown: "not seen", good: "works" };
const ORDER = ["problem", "unknown", "advice", "good"];
const VERDICTS = { "balloonable": "good", "reporting only": "mild", "monitor only": "mild", "no": "bad" };
const AGAIN_MS = 60000;

export function doctorView(page, seat) {
  const lead = element("p", { class: "lead", role: "status", text: "Going round the host and its VMs …" });
  const again = element("button", { type: "button", id: "look-again", text: "look again", onclick: () => look(true) });
  const counts = element("div", { class: "cards" });
  const host = element("ul", { class: "findings" }), vms = element("div", { class: "patients" });
  const filter = element("input", { id: "filter", type: "search", placeholder: "filter: name, check, word   ( / )", "aria-label": "Filter findings", oninput: draw });
  const only = element("select", { id: "grade", "aria-label": "Which findings", onchange: draw },
    element("option", { value: "", text: "all findings" }), element("option", { value: "change", text: "what could be better" }));
  const hostPanel = element("section", { class: "panel", hidden: true }, element("h2", { text: "The host" }), host);
  const tools = element("div", { class: "tools", hidden: true }, element("h2", { text: "Virtual machines" }), filter, only);
  page.append(element("div", { class: "tools" }, element("h1", { text: "Doctor" }), again), lead, counts, hostPanel, tools, vms);
  let found = null, foundAt = 0, isOver = false, isLooking = false;
  const opened = new Map();

  async function look(fresh) {
    if (isLooking) return;
    isLooking = again.disabled = true;
    try {
      const document = await get(`/v1/doctor${fresh ? "?fresh=true" : ""}`);
      if (isOver) return;
      found = document;
      foundAt = performance.now() - 1000 * document.age_s;
      draw();
    } catch (error) { if (!isOver) write(lead, error.message); }
    finally { isLooking = again.disabled = false; }
  }

  function draw() {
    if (!found) return;
    told();
    const all = [...found.host, ...found.vms.flatMap((vm) => vm.findings)];
    const number = (grade) => all.filter((one) => one.grade === grade).length;
    const able = found.vms.filter((vm) => vm.verdict === "balloonable").length;
    counts.replaceChildren(
      tile(`${able} of ${found.vms.length}`, "VMs whose memory can be ballooned", able === found.vms.length ? "good" : "mild"),
      tile(number("problem"), number("problem") === 1 ? "problem: this does not work" : "problems: this does not work", number("problem") ? "bad" : "good"),
      tile(number("advice"), "pieces of advice: works, not best", number("advice") ? "mild" : "good"),
      tile(number("unknown"), "not seen from here", number("unknown") ? "mild" : "good"));
    hostPanel.hidden = tools.hidden = false;
    host.replaceChildren(...sorted(found.host).map(item));
    const wanted = filter.value.trim().toLowerCase();
    const shown = found.vms.map((vm) => ({ vm, findings: sorted(vm.findings).filter((one) => !only.value || one.grade !== "good") }))
      .filter(({ vm, findings }) => (findings.length || !only.value)
        && (!wanted || `${vm.name} ${vm.platform} ${vm.verdict} ${findings.map((f) => `${f.check} ${f.grade} ${f.says} ${f.fix ?? ""}`).join(" ")}`.toLowerCase().includes(wanted)))
      .sort((a, b) => severity(a.vm) - severity(b.vm) || (a.vm.name < b.vm.name ? -1 : 1));
    const nothing = found.vms.length ? "No finding is like that." : "No VM is to be seen here.";
    vms.replaceChildren(...(shown.length ? shown.map(patient) : [element("p", { class: "empty", text: nothing })]));
  }

  function patient({ vm, findings }, index) {
    const key = `${vm.name} ${vm.pid ?? ""}`;
    const worst = ORDER.find((grade) => findings.some((one) => one.grade === grade)) ?? "good";
    const bad = findings.filter((one) => one.grade !== "good");
    const summary = element("summary", {}, element("span", { class: `grade ${worst}`, text: GRADES[worst] }),
      element("b", { text: vm.name }), element("span", { class: `chip ${VERDICTS[vm.verdict]}`, text: vm.verdict }),
      element("span", { class: "words", text: bad.length ? bad.map((one) => one.check.replaceAll("_", " ")).join(", ") : "all is well" }));
    const details = element("details", { class: "panel", ontoggle: () => opened.set(key, details.open) },
      summary, element("ul", { class: "findings" }, ...findings.map(item)));
    if (opened.get(key) ?? (index === 0 && worst !== "good")) details.open = true;
    return details;
  }

  function told() {
    const age = (performance.now() - foundAt) / 1000;
    write(lead, `Looked at ${age < 2 ? "just now" : `${duration(age)} ago`}. It only reads, beside the loop; the daemon looks again when this is a minute old and somebody asks.`);
  }

  look(false);
  const timer = setInterval(() => { if (!document.hidden) look(false); }, AGAIN_MS);
  return { name: "doctor", draw: () => { if (found) told(); }, end: () => { isOver = true; clearInterval(timer); } };
}

function severity(vm) { return Math.min(...vm.findings.map((one) => ORDER.indexOf(one.grade)), 9); }

function sorted(findings) { return [...findings].sort((a, b) => ORDER.indexOf(a.grade) - ORDER.indexOf(b.grade)); }

function tile(figure, words, tone) {
  const big = element("div", { class: `big num ${tone}`, text: String(figure) });
  return element("section", { class: "panel" }, big, element("p", { text: words }));
}

function item(finding) {
  const fix = finding.fix ? element("div", { class: "fix" }, element("code", { text: finding.fix })) : null;
  const made = element("li", {}, element("span", { class: `grade ${finding.grade}`, text: GRADES[finding.grade] }),
    element("span", { class: "check", text: finding.check.replaceAll("_", " ") }), element("div", {}, finding.says, fix));
  attribute(made, "data-check", finding.check);
  return made;
}
