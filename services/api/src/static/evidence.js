// The words or sentences that moved a review's score, marked in its text.

import { element } from "./dom.js";
import { signed } from "./format.js";

// Effects below this share of the largest one get no mark; from STRONG on, the mark is bold.
const FAINT = 0.2;
const STRONG = 0.5;
const LEAST_EFFECT = 0.02; // smaller ones are noise: in a text without an opinion, they would be the largest

/** Mark in `container`, which shows `text`, the parts that moved the score, and explain the marks in `note`. */
export function markEvidence(container, note, text, data) {
  const largest = Math.max(0, ...data.evidence.map((part) => Math.abs(part.effect)));
  const characters = Array.from(text); // the API counts code points
  const nodes = [];
  let position = 0;
  let marks = 0;
  for (const part of data.evidence) {
    if (largest < LEAST_EFFECT || Math.abs(part.effect) < FAINT * largest) continue;
    nodes.push(characters.slice(position, part.start).join(""), mark(part, largest));
    position = part.end;
    marks += 1;
  }
  nodes.push(characters.slice(position).join(""));
  container.replaceChildren(...nodes);
  note.replaceChildren(...legend(data, marks));
}

function mark(part, largest) {
  const strong = Math.abs(part.effect) >= STRONG * largest ? " strong" : "";
  const effect = signed(part.effect);
  return element(
    "mark",
    { class: (part.effect < 0 ? "down" : "up") + strong, title: `changes the score by ${effect}` },
    part.text,
    element("span", { class: "effect" }, ` (${effect})`),
  );
}

function legend(data, marks) {
  const units = `${data.unit}s`;
  if (!data.units) return ["The review has no words to mark."];
  const missing = data.complete
    ? ""
    : ` Only ${data.evidence.length} of ${data.units} ${units} were tried, because the review is long.`;
  if (!marks) return [`No single ${data.unit} changes the score by ${LEAST_EFFECT} or more.${missing}`];
  const sample = (kind, label) => element("mark", { class: `${kind} strong` }, label);
  return [
    `Marked ${units} `, sample("up", "raise"), " or ", sample("down", "lower"),
    ` the score, the bold ones most. Their effect was measured by leaving each out.${missing}`,
  ];
}
