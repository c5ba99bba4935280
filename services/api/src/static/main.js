// The entry point. The address holds the state of the page: actions change the address, and `show` follows it.

import { go, read } from "./address.js";
import { call, newIdempotencyKey } from "./api.js";
import * as comparison from "./comparison.js";
import { showProblem } from "./dom.js";
import { unlock } from "./key.js";
import * as list from "./list.js";
import * as record from "./record.js";
import * as summary from "./summary.js";

const TYPING_MILLISECONDS = 350;
const filtersForm = document.getElementById("filters");
const submitForm = document.getElementById("submit");
const sentence = document.getElementById("sentence");
const error = document.getElementById("error");
const offline = document.getElementById("offline");

let shown = { filters: null, review: null, versions: null };
let created = null; // the review just stored, so that opening it needs no request
let typingTimer = 0;
let idempotencyKey = newIdempotencyKey(); // one for each text: a retry after a lost response stores nothing twice

/** Show the state in the address, and load only what changed. */
function show() {
  const state = read();
  const differs = (part) => JSON.stringify(state[part]) !== JSON.stringify(shown[part]);
  if (differs("filters")) {
    fillFields(state.filters);
    list.load(state.filters);
    summary.load(state.filters);
  }
  if (differs("filters") || differs("versions")) comparison.load(state);
  if (state.review !== shown.review) {
    if (state.review) record.open(state.review, String(created?.id) === state.review ? created : null);
    else record.close();
  }
  created = null;
  shown = state;
}

/** Put filters into their fields, except into one in which a person is typing. */
function fillFields(filters) {
  for (const field of filtersForm.elements) {
    if (!field.name || (field === document.activeElement && typingTimer)) continue;
    const value = filters[field.name] ?? "";
    field.value = field.type === "date" ? value.slice(0, 10) : value;
  }
}

function readFields() {
  const filters = Object.fromEntries([...new FormData(filtersForm)].filter(([, value]) => value));
  for (const name of ["since", "until"]) {
    const full = shown.filters?.[name]; // the address may hold a time, which a date field cannot show
    if (full?.slice(0, 10) === filters[name]) filters[name] = full;
  }
  return filters;
}

function applyFilters({ typing = false } = {}) {
  if (filtersForm.checkValidity()) go({ ...shown, filters: readFields() }, { typing });
}

filtersForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (filtersForm.reportValidity()) applyFilters();
});
filtersForm.addEventListener("input", ({ target }) => {
  clearTimeout(typingTimer);
  typingTimer = 0;
  if (target.type !== "search" && target.type !== "number") {
    applyFilters();
    return;
  }
  typingTimer = setTimeout(() => {
    applyFilters({ typing: true });
    typingTimer = 0;
  }, TYPING_MILLISECONDS);
});
document.getElementById("clear").addEventListener("click", (event) => {
  event.preventDefault();
  go({ ...shown, filters: {} });
});

sentence.addEventListener("input", () => (idempotencyKey = newIdempotencyKey()));
submitForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = submitForm.querySelector("button");
  button.disabled = true;
  submitForm.setAttribute("aria-busy", "true");
  error.replaceChildren();
  sentence.removeAttribute("aria-invalid");
  try {
    const { data } = await call("/sentiments/", { method: "POST", idempotencyKey, body: { sentence: sentence.value } });
    sentence.value = "";
    idempotencyKey = newIdempotencyKey();
    created = data;
    go({ ...shown, review: String(data.id) });
    list.load(shown.filters);
    summary.load(shown.filters);
  } catch (problem) {
    if (problem.status === 422) sentence.setAttribute("aria-invalid", "true");
    showProblem(error, problem, () => submitForm.requestSubmit());
  } finally {
    button.disabled = false;
    submitForm.removeAttribute("aria-busy");
  }
});

// Links to reviews open them in place; with a modifier key the browser opens a new tab or window as usual.
document.querySelector("main").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-review]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ ...shown, review: link.dataset.review });
});

addEventListener("popstate", show);
addEventListener("statechange", show);
addEventListener("corrected", ({ detail }) => {
  list.showCorrected(detail);
  summary.load(shown.filters);
  comparison.load(shown);
});
for (const name of ["online", "offline"]) addEventListener(name, () => (offline.hidden = navigator.onLine));
offline.hidden = navigator.onLine;
unlock();
show();
