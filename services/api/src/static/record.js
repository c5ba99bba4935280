// The open review: its verdict, the words that moved its score, its correction and its earlier scores.

import { call } from "./api.js";
import { element, showProblem } from "./dom.js";
import { markEvidence } from "./evidence.js";
import { SENTIMENTS } from "./format.js";
import * as history from "./history.js";
import { record, showCorrection } from "./review.js";

const container = document.getElementById("record");
let pending = new AbortController();

/** Open the review with this id; `loaded` is its record, if it is known already. */
export async function open(id, loaded = null) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  if (!loaded) container.replaceChildren(element("p", { class: "state" }, "Loading the review …"));
  try {
    const review = loaded ?? (await call(`/sentiments/${id}`, { signal })).data;
    const { root, fields } = record(review);
    container.replaceChildren(root);
    root.focus({ preventScroll: true });
    root.scrollIntoView({ block: "nearest" });
    offerFeedback(fields, review);
    await Promise.all([history.show(fields.history[0], review, signal), loadEvidence(fields, review, signal)]);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    const line = element("p", { class: "state" });
    showProblem(line, problem, () => open(id));
    container.replaceChildren(line);
  }
}

/** Close the open review. */
export function close() {
  pending.abort();
  container.replaceChildren();
}

async function loadEvidence(fields, review, signal) {
  const [note] = fields.evidence;
  note.textContent = "Measuring what each part contributes …";
  try {
    const { data } = await call(`/sentiments/${review.id}/evidence`, { signal });
    markEvidence(fields.sentence[0], note, review.sentence, data);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    showProblem(note, problem, () => loadEvidence(fields, review, signal));
  }
}

/** Let a person confirm or correct the sentiment; the API stores both as the review's correction. */
function offerFeedback(fields, review) {
  const address = `/sentiments/${review.id}/correction`;
  const [withdraw] = fields.withdraw;
  const others = SENTIMENTS.filter((sentiment) => sentiment !== review.sentiment);
  const buttons = [review.sentiment, ...others].map((sentiment, index) => [fields.judge[index], sentiment]);
  fields.feedback[0].hidden = false;
  const update = () => {
    showCorrection(fields, review);
    withdraw.hidden = !review.correction;
    for (const [button, sentiment] of buttons) {
      button.setAttribute("aria-pressed", String(review.correction?.sentiment === sentiment));
    }
  };
  const send = async (method, sentiment) => {
    try {
      const { data } = await call(address, { method, body: sentiment && { sentiment } });
      review.correction = data?.correction ?? null;
      update();
      fields.feedback_status[0].textContent = review.correction ? "Saved." : "Withdrawn.";
      dispatchEvent(new CustomEvent("corrected", { detail: review }));
    } catch (problem) {
      showProblem(fields.feedback_status[0], problem, () => send(method, sentiment));
    }
  };
  for (const [button, sentiment] of buttons) {
    button.textContent = `${sentiment === review.sentiment ? "Right" : "Wrong"}, it is ${sentiment}`;
    button.addEventListener("click", () => send("PUT", sentiment));
  }
  withdraw.addEventListener("click", () => send("DELETE"));
  update();
}
