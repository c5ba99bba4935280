// One review: as an item of the list, or as the open record.

import { page } from "./address.js";
import { copy } from "./dom.js";

const LIST_CHARACTERS = 600;
const MINUS = "\u2212";

/** Format a score with its sign: +0.93. */
export function signed(score, digits = 2) {
  return (score < 0 ? MINUS : "+") + Math.abs(score).toFixed(digits);
}

/** Format a time to the minute, in UTC as the service sends it. */
export function minute(time) {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

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
  fields.scale[0].querySelector("circle").setAttribute("cx", 100 + 96 * review.sentiment_score);
  return { root, fields };
}

/** Show a review's correction in the parts of an item or a record. */
export function showCorrection(fields, review) {
  fields.correction[0].hidden = !review.correction;
  set(fields.correction_sentiment, review.correction?.sentiment ?? "");
}

function fill(fields, review) {
  fields.verdict[0].className = `verdict ${review.sentiment}`;
  set(fields.sentiment, `${review.sentiment === "positive" ? "+" : MINUS} ${review.sentiment}`);
  set(fields.score, signed(review.sentiment_score));
  set(fields.confidence, `${(review.confidence * 100).toFixed(1)}%`);
  showCorrection(fields, review);
  for (const time of fields.created_on) {
    time.dateTime = review.created_on;
    time.textContent = minute(review.created_on);
  }
}

function set(parts, text) {
  for (const part of parts ?? []) part.textContent = text;
}
