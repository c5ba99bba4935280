// The page: what the address says is what is shown, and everything that is done goes by the address.

import { go, read } from "./address.js";
import { call, newKey } from "./api.js";
import * as comparison from "./comparison.js";
import { showProblem } from "./dom.js";
import * as lock from "./key.js";
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
let known = null; // the record that was just made, so that it is not asked for again
let typing = 0;
let key = newKey(); // of the text that is being written: sent again after a lost answer, it is stored once

/** Show what the address says, and of that only what changed. */
function show() {
  const state = read();
  const differs = (part) => JSON.stringify(state[part]) !== JSON.stringify(shown[part]);
  if (differs("filters")) {
    fill(state.filters);
    list.load(state.filters);
    summary.load(state.filters);
  }
  if (differs("filters") || differs("versions")) comparison.load(state);
  if (state.review !== shown.review) {
    if (state.review) record.open(state.review, String(known?.id) === state.review ? known : null);
    else record.close();
  }
  known = null;
  shown = state;
}

/** Put filters into their fields, but not into one that a person is typing in. */
function fill(filters) {
  for (const field of filtersForm.elements) {
    if (!field.name || (field === document.activeElement && typing)) continue;
    const value = filters[field.name] ?? "";
    field.value = field.type === "date" ? value.slice(0, 10) : value;
  }
}

function filtersAsked() {
  const given = Object.fromEntries([...new FormData(filtersForm)].filter(([, value]) => value));
  for (const name of ["since", "until"]) {
    const full = shown.filters?.[name]; // an address may have a time, which the field cannot show
    if (full?.slice(0, 10) === given[name]) given[name] = full;
  }
  return given;
}

function filter({ typing = false } = {}) {
  if (filtersForm.checkValidity()) go({ ...shown, filters: filtersAsked() }, { typing });
}

filtersForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (filtersForm.reportValidity()) filter();
});
filtersForm.addEventListener("input", ({ target }) => {
  clearTimeout(typing);
  typing = 0;
  if (target.type !== "search" && target.type !== "number") {
    filter();
    return;
  }
  typing = setTimeout(() => {
    filter({ typing: true });
    typing = 0;
  }, TYPING_MILLISECONDS);
});
document.getElementById("clear").addEventListener("click", (event) => {
  event.preventDefault();
  go({ ...shown, filters: {} });
});

sentence.addEventListener("input", () => (key = newKey()));
submitForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = submitForm.querySelector("button");
  button.disabled = true;
  submitForm.setAttribute("aria-busy", "true");
  error.replaceChildren();
  sentence.removeAttribute("aria-invalid");
  try {
    const { data } = await call("/sentiments/", { method: "POST", key, body: { sentence: sentence.value } });
    sentence.value = "";
    key = newKey();
    known = data;
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
lock.open();
show();
