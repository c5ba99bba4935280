// The reviews that the filters let through, page after page.

import { query } from "./address.js";
import { call } from "./api.js";
import { showProblem } from "./dom.js";
import { item } from "./review.js";

const list = document.getElementById("reviews");
const state = document.getElementById("state");
const more = document.getElementById("more");
let asked = new AbortController();
let next = null;
let filters = {};

/** Show the newest reviews that `given` filters let through. */
export function load(given) {
  filters = given;
  return fetchPage(`/sentiments/${query(filters)}`, true);
}

/** Show what a person said of a review, where the list has it. */
export function showCorrected(review) {
  document.getElementById(`review-${review.id}`)?.replaceWith(item(review, filters));
}

more.firstElementChild.addEventListener("click", (event) => {
  event.preventDefault();
  fetchNext();
});
new IntersectionObserver(([entry]) => entry.isIntersecting && fetchNext(), { rootMargin: "400px" }).observe(more);

function fetchNext() {
  if (next && list.getAttribute("aria-busy") !== "true") fetchPage(next, false);
}

async function fetchPage(address, fresh) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  list.setAttribute("aria-busy", "true");
  state.textContent = "Loading …";
  try {
    const answer = await call(address, { signal });
    const items = answer.data.map((review) => item(review, filters));
    if (fresh) list.replaceChildren(...items);
    else list.append(...items);
    next = answer.next;
    more.hidden = !next;
    state.textContent = said(Object.keys(filters).length > 0);
    list.removeAttribute("aria-busy");
    watchAgain();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (fresh) list.replaceChildren();
    more.hidden = true;
    showProblem(state, problem, () => fetchPage(address, fresh));
    list.removeAttribute("aria-busy");
  }
}

function said(filtered) {
  const count = list.children.length;
  if (!count) return filtered ? "Nothing matches. Fewer words or filters may." : "Nothing here yet: the first review is yours.";
  return next ? "" : `That is all: ${count.toLocaleString("en")} review${count === 1 ? "" : "s"}.`;
}

// An observer tells of changes only: a page that leaves the button in sight would be the last.
function watchAgain() {
  const { top } = more.getBoundingClientRect();
  if (next && top < innerHeight + 400) fetchNext();
}
