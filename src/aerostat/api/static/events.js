// What happened, newest first, as it happens.
import { clock, element } from "./format.js";

export function eventItem(event, { withName = true } = {}) {
  return element("li", {},
    element("time", { datetime: event.at, text: clock(event.at), title: event.at }),
    withName ? element("span", { class: "who", text: event.name || "daemon" }) : null,
    element("span", { class: "kind", text: event.kind }),
    element("span", { class: "words", text: event.words }));
}

export function eventsView(page, seat) {
  const list = element("ul", { class: "events", "aria-live": "off" });
  const empty = element("p", { class: "empty", text: "Nothing has happened in the last hour." });
  const filter = element("input", {
    id: "filter", type: "search", placeholder: "filter   ( / )", "aria-label": "Filter events", oninput: draw,
  });
  page.append(element("div", { class: "tools" }, element("h1", { text: "What happened" }), filter),
    element("section", { class: "panel" }, list, empty));

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const shown = seat.happened.filter((event) => !wanted || `${event.name} ${event.kind} ${event.words}`.toLowerCase().includes(wanted));
    list.replaceChildren(...shown.map((event) => eventItem(event)));
    empty.hidden = shown.length > 0;
  }

  draw();
  return { name: "events", happened: draw };
}
