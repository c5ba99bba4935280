// The opened review: its verdict, what carried it, what a person says of it, and what it was scored before.

import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { mark } from "./evidence.js";
import * as history from "./history.js";
import { showCorrection, whole } from "./review.js";

const place = document.getElementById("record");
let asked = new AbortController();

/** Open a review by its id, or the record that is at hand already. */
export async function open(id, known = null) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  if (!known) place.replaceChildren(element("p", { class: "state" }, "Loading the review …"));
  try {
    const review = known ?? (await call(`/sentiments/${id}`, { signal })).data;
    const { root, fields } = whole(review);
    place.replaceChildren(root);
    root.focus({ preventScroll: true });
    root.scrollIntoView({ block: "nearest" });
    judging(fields, review);
    await Promise.all([history.show(fields.history[0], review, signal), weigh(fields, review, signal)]);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    const line = element("p", { class: "state" });
    showProblem(line, problem, () => open(id));
    place.replaceChildren(line);
  }
}

/** Show no review. */
export function close() {
  asked.abort();
  place.replaceChildren();
}

async function weigh(fields, review, signal) {
  const [note] = fields.evidence;
  note.textContent = "Weighing its words …";
  try {
    const { data } = await call(`/sentiments/${review.id}/evidence`, { signal });
    mark(fields.sentence[0], note, review.sentence, data);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    showProblem(note, problem, () => weigh(fields, review, signal));
  }
}

function judging(fields, review) {
  const other = review.sentiment === "positive" ? "negative" : "positive";
  const address = `/sentiments/${review.id}/correction`;
  const [agree, disagree, withdraw] = [fields.agree[0], fields.disagree[0], fields.withdraw[0]];
  disagree.textContent = `It is ${other}`;
  agree.textContent = `It is ${review.sentiment}, right`;
  fields.judge[0].hidden = false;
  const show = () => {
    showCorrection(fields, review);
    withdraw.hidden = !review.correction;
    for (const [button, says] of [[agree, review.sentiment], [disagree, other]]) {
      button.setAttribute("aria-pressed", String(review.correction?.sentiment === says));
    }
  };
  const say = async (method, sentiment) => {
    try {
      const { data } = await call(address, { method, body: sentiment && { sentiment } });
      review.correction = data?.correction ?? null;
      show();
      fields.judged[0].textContent = review.correction ? "Kept." : "Taken back.";
      dispatchEvent(new CustomEvent("corrected", { detail: review }));
    } catch (problem) {
      showProblem(fields.judged[0], problem, () => say(method, sentiment));
    }
  };
  agree.addEventListener("click", () => say("PUT", review.sentiment));
  disagree.addEventListener("click", () => say("PUT", other));
  withdraw.addEventListener("click", () => say("DELETE"));
  show();
}
