// What one model version changed, over the reviews that it and another both scored.

import { judged, percent } from "./accuracy.js";
import { go, page, query, read } from "./address.js";
import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { signed } from "./review.js";

const place = document.getElementById("comparison");
const form = place.querySelector("form");
const shown = document.getElementById("compared");
const [older, newer] = [form.elements.old, form.elements.new];
let listed = null; // the versions, asked for once
let asked = new AbortController();

/** Show the comparison that an address asks for; without one, only that there is something to compare. */
export async function load({ filters, versions }) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  try {
    listed ??= (await call("/sentiments/versions")).data.map((version) => version.model_version);
    if (signal.aborted) return;
    place.hidden = !versions && listed.length < 2;
    place.open = Boolean(versions);
    choose(versions ?? { new: listed[0], old: listed[1] });
    if (!versions) return;
    shown.setAttribute("aria-busy", "true");
    const { data } = await call(`/sentiments/comparison${query({ ...filters, ...versions })}`, { signal });
    shown.replaceChildren(...drawn(data, filters));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    place.hidden = !versions;
    showProblem(shown, problem, () => load({ filters, versions }));
  }
  shown.setAttribute("aria-busy", "false");
}

/** Take the comparison that is chosen into the address, or out of it. */
function turn() {
  const state = read();
  const versions = place.open ? { old: older.value, new: newer.value } : null;
  if (JSON.stringify(versions) !== JSON.stringify(state.versions)) go({ ...state, versions });
}

place.addEventListener("toggle", turn);
form.addEventListener("change", turn);
form.addEventListener("submit", (event) => event.preventDefault());

/** Offer the versions; one that an address asks for is offered even if it is not there. */
function choose(versions) {
  for (const [field, chosen] of [[older, versions.old], [newer, versions.new]]) {
    const offered = listed.includes(chosen) ? listed : [chosen, ...listed];
    field.replaceChildren(...offered.map((version) => element("option", {}, version)));
    field.value = chosen;
  }
}

function drawn(data, filters) {
  const count = (number) => number.toLocaleString("en");
  const many = (number) => `${count(number)} review${number === 1 ? "" : "s"}`;
  const inAll = `The old version scored ${many(data.old.reviews)}, the new one ${count(data.new.reviews)}`;
  if (!data.reviews) return [element("p", {}, `${inAll}, and none of them is the same.`)];
  return [
    element(
      "p", { class: "counts" },
      "Both scored ", element("b", {}, many(data.reviews)),
      ` and agree on ${count(data.agreed)} (${percent(data.agreed / data.reviews)}). The new one turned `,
      element("span", { class: "positive" }, `${count(data.to_positive)} to + positive`), " and ",
      element("span", { class: "negative" }, `${count(data.to_negative)} to \u2212 negative`), ".",
    ),
    element(
      "p", {},
      `Scores changed by ${signed(data.mean_change, 3)} on average (${data.mean_absolute_change.toFixed(3)} whatever the direction); `,
      `mean confidence went from ${tenths(data.old.mean_confidence)} to ${tenths(data.new.mean_confidence)}.`,
    ),
    ...accuracy([data.old, data.new]),
    ...largest(data.largest, filters),
    element("p", { class: "about" }, `${inAll}; compared is what both made of the text that a review has now.`),
  ];
}

function accuracy(sides) {
  const list = judged(sides);
  return list ? [list] : [];
}

function tenths(share) {
  return `${(share * 100).toFixed(1)}%`;
}

function largest(moved, filters) {
  if (!moved.length) return [];
  const rows = moved.map((one) => {
    const address = page({ ...read(), filters, review: one.id });
    const link = element("a", { href: address, "data-review": one.id }, `#${one.id}`);
    const cells = [link, signed(one.old_score), signed(one.new_score), signed(one.new_score - one.old_score)];
    return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  });
  const names = ["Review", "Old score", "New score", "Change"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  return [
    element(
      "div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "The largest changes" },
      element("table", {}, element("caption", {}, "The largest changes"), element("thead", {}, head), element("tbody", {}, ...rows)),
    ),
  ];
}
