// One review: as an item of the list, or as the open record.

import { page } from "./address.js";
import { copy } from "./dom.js";
import { minute, named, percentages, SENTIMENTS, signed } from "./format.js";

const LIST_CHARACTERS = 600;
const WARNINGS = ["not_english", "unreadable"];

/** Return a list item for a review. */
export function item(review, filters) {
  const { root, fields } = copy("review-item");
  root.id = `review-${review.id}`;
  fill(fields, review);
  const characters = Array.from(review.sentence);
  const long = characters.length > LIST_CHARACTERS;
  set(fields.sentence, long ? `${characters.slice(0, LIST_CHARACTERS).join("")}…` : review.sentence);
  const [link] = fields.link;
  link.textContent = `#${review.id}`;
  link.href = page({ filters, review: review.id });
  link.dataset.review = review.id;
  return root;
}

/** Return the record of a review as {root, fields}: its element, and lists of its parts by name. */
export function record(review) {
  const { root, fields } = copy("review-record");
  fill(fields, review);
  set(fields.id, `#${review.id}`);
  set(fields.sentence, review.sentence);
  set(fields.tokens, review.tokens.toLocaleString("en"));
  set(fields.windows, `${review.windows} window${review.windows === 1 ? "" : "s"}`);
  set(fields.model_version, review.model_version);
  showProbabilities(fields, review);
  return { root, fields };
}

/** Show a review's correction in the parts of an item or a record. */
export function showCorrection(fields, review) {
  fields.correction[0].hidden = !review.correction;
  set(fields.correction_sentiment, review.correction?.sentiment ?? "");
}

function fill(fields, review) {
  fields.verdict[0].className = `verdict ${review.sentiment}`;
  set(fields.sentiment, named(review.sentiment));
  set(fields.score, signed(review.sentiment_score));
  set(fields.confidence, probabilities(review)[review.sentiment]);
  for (const name of WARNINGS) fields[name][0].hidden = !review.warnings?.includes(name);
  showCorrection(fields, review);
  for (const time of fields.created_on) {
    time.dateTime = review.created_on;
    time.textContent = minute(review.created_on);
  }
}

/** Return the formatted probabilities by sentiment. A model with two labels gives none to neutral. */
function probabilities(review) {
  const known = SENTIMENTS.filter((sentiment) => review.probabilities[sentiment] !== null);
  const texts = percentages(known.map((sentiment) => review.probabilities[sentiment]), 1);
  return Object.fromEntries(known.map((sentiment, index) => [sentiment, texts[index]]));
}

function showProbabilities(fields, review) {
  const texts = probabilities(review);
  for (const sentiment of SENTIMENTS) {
    const [row] = fields[`probability_${sentiment}`];
    row.hidden = !(sentiment in texts);
    row.querySelector("b").textContent = texts[sentiment] ?? "";
    row.querySelector("rect.bar").setAttribute("width", `${100 * (review.probabilities[sentiment] ?? 0)}%`);
  }
}

function set(parts, text) {
  for (const part of parts ?? []) part.textContent = text;
}
