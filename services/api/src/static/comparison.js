// The comparison of two model versions, over the reviews that both scored.

import { accuracyList } from "./accuracy.js";
import { go, page, query, read } from "./address.js";
import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { count, named, percent, SENTIMENTS, signed } from "./format.js";

const disclosure = document.getElementById("comparison");
const form = disclosure.querySelector("form");
const result = document.getElementById("compared");
const [oldField, newField] = [form.elements.old, form.elements.new];
let versionNames = null; // fetched once
let pending = new AbortController();

/** Show the comparison of `versions`; if it is null, only offer one. */
export async function load({ filters, versions }) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  try {
    versionNames ??= (await call("/sentiments/versions")).data.map((version) => version.model_version);
    if (signal.aborted) return;
    disclosure.hidden = !versions && versionNames.length < 2;
    disclosure.open = Boolean(versions);
    fillFields(versions ?? { new: versionNames[0], old: versionNames[1] });
    if (!versions) return;
    result.setAttribute("aria-busy", "true");
    const { data } = await call(`/sentiments/comparison${query({ ...filters, ...versions })}`, { signal });
    result.replaceChildren(...render(data, filters));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    disclosure.hidden = !versions;
    showProblem(result, problem, () => load({ filters, versions }));
  }
  result.setAttribute("aria-busy", "false");
}

/** Put the chosen versions into the address, or remove them when the comparison is closed. */
function updateAddress() {
  const state = read();
  const versions = disclosure.open ? { old: oldField.value, new: newField.value } : null;
  if (JSON.stringify(versions) !== JSON.stringify(state.versions)) go({ ...state, versions });
}

disclosure.addEventListener("toggle", updateAddress);
form.addEventListener("change", updateAddress);
form.addEventListener("submit", (event) => event.preventDefault());

/** Offer the versions. One that only the address names is offered too, so that the field shows it beside the error. */
function fillFields(versions) {
  for (const [field, chosen] of [[oldField, versions.old], [newField, versions.new]]) {
    const names = versionNames.includes(chosen) ? versionNames : [chosen, ...versionNames];
    field.replaceChildren(...names.map((name) => element("option", {}, name)));
    field.value = chosen;
  }
}

function render(data, filters) {
  const reviews = (number) => `${count(number)} review${number === 1 ? "" : "s"}`;
  const totals = `The old version scored ${reviews(data.old.reviews)} and the new one ${count(data.new.reviews)}.`;
  if (!data.reviews) return [element("p", {}, `No review was scored by both versions. ${totals} Choose other versions or filters.`)];
  return [
    element(
      "p", { class: "counts" },
      "Both scored ", element("b", {}, reviews(data.reviews)),
      ` and agree on ${count(data.agreed)} (${percent(data.agreed / data.reviews)}). The new one changed `,
      ...SENTIMENTS.flatMap((sentiment, index) => [
        ["", ", ", " and "][index],
        element("span", { class: sentiment }, `${count(data[`to_${sentiment}`])} to ${named(sentiment)}`),
      ]),
      ".",
    ),
    sentimentTable(data.table),
    element(
      "p", {},
      `Scores changed by ${signed(data.mean_change, 3)} on average, or by ${data.mean_absolute_change.toFixed(3)} regardless of direction. `,
      `Mean confidence went from ${percent(data.old.mean_confidence, 1)} to ${percent(data.new.mean_confidence, 1)}.`,
    ),
    ...accuracy([data.old, data.new]),
    ...largestChanges(data.largest, filters),
    element("p", { class: "about" }, `${totals} Only scores of a review's current text are compared.`),
  ];
}

function accuracy(sides) {
  const list = accuracyList(sides);
  return list ? [list] : [];
}

/** Return a table of how many reviews have each sentiment by the old version and by the new one. */
function sentimentTable(table) {
  const heading = (scope, text) => element("th", { scope }, text);
  const rows = SENTIMENTS.map((old) => {
    const cells = SENTIMENTS.map((now) => element("td", old === now ? { class: "agreed" } : {}, count(table[old][now])));
    return element("tr", {}, heading("row", named(old)), ...cells);
  });
  const head = element("tr", {}, element("td"), ...SENTIMENTS.map((now) => heading("col", named(now))));
  return scrolling("Old sentiments (rows) and new ones (columns)", element("thead", {}, head), element("tbody", {}, ...rows));
}

function scrolling(name, ...parts) {
  return element(
    "div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": name },
    element("table", {}, element("caption", {}, name), ...parts),
  );
}

function largestChanges(changes, filters) {
  if (!changes.length) return [];
  const rows = changes.map((change) => {
    const address = page({ ...read(), filters, review: change.id });
    const link = element("a", { href: address, "data-review": change.id }, `#${change.id}`);
    const difference = change.new_score - change.old_score;
    const cells = [link, signed(change.old_score), signed(change.new_score), signed(difference)];
    return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
  });
  const names = ["Review", "Old score", "New score", "Change"];
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
  return [scrolling("Largest changes", element("thead", {}, head), element("tbody", {}, ...rows))];
}
