// The list of reviews that match the filters, loaded page by page.

import { query } from "./address.js";
import { call } from "./api.js";
import { showProblem } from "./dom.js";
import { item } from "./review.js";

const PREFETCH_PIXELS = 400; // load the next page when its button is this close to the window
const list = document.getElementById("reviews");
const status = document.getElementById("state");
const more = document.getElementById("more");
let pending = new AbortController();
let next = null;
let filters = {};

/** Show the newest reviews that match `newFilters`. */
export function load(newFilters) {
  filters = newFilters;
  return loadPage(`/sentiments/${query(filters)}`, true);
}

/** Show the correction of a review, if the list holds the review. */
export function showCorrected(review) {
  document.getElementById(`review-${review.id}`)?.replaceWith(item(review, filters));
}

more.firstElementChild.addEventListener("click", (event) => {
  event.preventDefault();
  loadNext();
});
new IntersectionObserver(([entry]) => entry.isIntersecting && loadNext(), { rootMargin: `${PREFETCH_PIXELS}px` }).observe(more);

function loadNext() {
  if (next && list.getAttribute("aria-busy") !== "true") loadPage(next, false);
}

async function loadPage(address, first) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  list.setAttribute("aria-busy", "true");
  status.textContent = "Loading …";
  try {
    const response = await call(address, { signal });
    const items = response.data.map((review) => item(review, filters));
    if (first) list.replaceChildren(...items);
    else list.append(...items);
    next = response.next;
    more.hidden = !next;
    status.textContent = statusText(Object.keys(filters).length > 0);
    list.removeAttribute("aria-busy");
    loadNextIfNear();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (first) list.replaceChildren();
    more.hidden = true;
    showProblem(status, problem, () => loadPage(address, first));
    list.removeAttribute("aria-busy");
  }
}

function statusText(filtered) {
  const count = list.children.length;
  if (!count) return filtered ? "No review matches. Remove a word or a filter." : "No reviews yet. Score the first one above.";
  return next ? "" : `End of the list: ${count.toLocaleString("en")} review${count === 1 ? "" : "s"}.`;
}

// The observer reports changes only. After a short page the button is still near, and the observer stays silent.
function loadNextIfNear() {
  const { top } = more.getBoundingClientRect();
  if (next && top < innerHeight + PREFETCH_PIXELS) loadNext();
}
