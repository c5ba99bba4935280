// The words that carried a review, marked in its text.

import { element } from "./dom.js";
import { signed } from "./review.js";

const FAINT = 0.2;
const STRONG = 0.5;

/** Mark in `place`, which shows `text`, what moved the score; say in `note` how to read it. */
export function mark(place, note, text, found) {
  const largest = Math.max(0, ...found.evidence.map((part) => Math.abs(part.effect)));
  const characters = Array.from(text); // the API counts code points
  const nodes = [];
  let position = 0;
  let marked = 0;
  for (const part of found.evidence) {
    if (largest < 0.001 || Math.abs(part.effect) < FAINT * largest) continue;
    nodes.push(characters.slice(position, part.start).join(""), marking(part, largest));
    position = part.end;
    marked += 1;
  }
  nodes.push(characters.slice(position).join(""));
  place.replaceChildren(...nodes);
  note.replaceChildren(...legend(found, marked));
}

function marking(part, largest) {
  const strong = Math.abs(part.effect) >= STRONG * largest ? " strong" : "";
  const effect = signed(part.effect);
  return element(
    "mark",
    { class: (part.effect < 0 ? "down" : "up") + strong, title: `moves the score by ${effect}` },
    part.text,
    element("span", { class: "effect" }, ` (${effect})`),
  );
}

function legend(found, marked) {
  const units = `${found.unit}s`;
  if (!found.units) return ["It has no words to weigh."];
  const missing = found.complete ? "" : ` Only ${found.evidence.length} of ${found.units} ${units} were tried: it is long.`;
  if (!marked) return [`None of its ${units} moves the score by itself.${missing}`];
  const one = (kind, text) => element("mark", { class: `${kind} strong` }, text);
  return [
    `Marked is what the score owes its ${units}, found by leaving each out: `, one("up", "up"), ", ", one("down", "down"),
    `, strongest in bold.${missing}`,
  ];
}
