// What a review was scored before.

import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { minute, signed } from "./review.js";

/** Show in `place` what a review was scored before its text or the model changed; of one that never changed, nothing. */
export async function show(place, review, signal) {
  if (review.updated_on === review.created_on) return;
  const list = element("ol", { class: "earlier" });
  const foot = element("p", { class: "state" });
  place.replaceChildren(foot);
  const load = async (address) => {
    try {
      const { data, next } = await call(address, { signal });
      list.append(...data.map((score) => item(score, review)));
      if (data.length && !list.isConnected) foot.before(element("h3", {}, "Scored before"), scrolling(list));
      foot.replaceChildren(...(next ? [older(() => load(next))] : []));
    } catch (problem) {
      if (problem.name !== "AbortError") showProblem(foot, problem, () => load(address));
    }
  };
  await load(`/sentiments/${review.id}/history`);
}

function scrolling(list) {
  return element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Scored before" }, list);
}

function older(load) {
  const button = element("button", { type: "button", class: "quiet" }, "Older scores");
  button.addEventListener("click", load);
  return button;
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
