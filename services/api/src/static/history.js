// The earlier scores of a review.

import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { minute, percent, signed } from "./format.js";

/** Show in `container` the earlier scores of a review, page by page; a review that never changed has none. */
export async function show(container, review, signal) {
  if (review.updated_on === review.created_on) return;
  const list = element("ol", { class: "earlier" });
  const foot = element("p", { class: "state" });
  container.replaceChildren(foot);
  const load = async (address) => {
    try {
      const { data, next } = await call(address, { signal });
      list.append(...data.map((score) => item(score, review)));
      if (data.length && !list.isConnected) foot.before(element("h3", {}, "Earlier scores"), scrolling(list));
      foot.replaceChildren(...(next ? [olderButton(() => load(next))] : []));
    } catch (problem) {
      if (problem.name !== "AbortError") showProblem(foot, problem, () => load(address));
    }
  };
  await load(`/sentiments/${review.id}/history`);
}

function scrolling(list) {
  return element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Earlier scores" }, list);
}

function olderButton(load) {
  const button = element("button", { type: "button", class: "quiet" }, "Older scores");
  button.addEventListener("click", load);
  return button;
}

function item(score, review) {
  const verdict = element("strong", {}, `${signed(score.sentiment_score)} ${score.sentiment}`);
  const time = element("time", { datetime: score.scored_on }, minute(score.scored_on));
  const about = ` confidence ${percent(score.confidence, 1)}, by ${score.model_version}, scored `;
  const line = element("p", { class: score.sentiment }, verdict, about, time);
  if (score.sentence === review.sentence) return element("li", {}, line);
  const text = element("div", { class: "sentence", dir: "auto" }, score.sentence);
  return element("li", {}, line, element("details", {}, element("summary", {}, "Earlier text"), text));
}
