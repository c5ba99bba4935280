// What a review was scored before.

import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { minute, signed } from "./review.js";

/** Show in `place` what a review was scored before its text or the model changed; of one that never changed, nothing. */
export async function show(place, review, signal) {
  if (review.updated_on === review.created_on) return;
  try {
    const { data } = await call(`/sentiments/${review.id}/history`, { signal });
    if (data.length) place.replaceChildren(element("h3", {}, "Scored before"), scrolling(data, review));
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    showProblem(place, problem, () => show(place, review, signal));
  }
}

function scrolling(scores, review) {
  const list = element("ol", { class: "earlier" }, ...scores.map((score) => item(score, review)));
  return element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Scored before" }, list);
}

function item(score, review) {
  const sign = score.sentiment_score < 0 ? "negative" : "positive";
  const said = `${signed(score.sentiment_score)} ${sign}`;
  const time = element("time", { datetime: score.scored_on }, minute(score.scored_on));
  const about = ` confidence ${(score.confidence * 100).toFixed(1)}%, by ${score.model_version}, since `;
  const line = element("p", { class: sign }, element("strong", {}, said), about, time);
  if (score.sentence === review.sentence) return element("li", {}, line);
  const text = element("div", { class: "sentence", dir: "auto" }, score.sentence);
  return element("li", {}, line, element("details", {}, element("summary", {}, "Of another text"), text));
}
