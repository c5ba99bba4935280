// Numbers, times and sentiments as text.

const MINUS = "\u2212";

/** The sentiments in the order in which the page shows them. */
export const SENTIMENTS = ["positive", "neutral", "negative"];

const SYMBOLS = { positive: "+", neutral: "=", negative: MINUS };

/** Format a sentiment with its symbol, so that no one has to tell it by its colour: + positive. */
export function named(sentiment) {
  return `${SYMBOLS[sentiment]} ${sentiment}`;
}

/** Format an integer: 1,234. */
export function count(number) {
  return number.toLocaleString("en");
}

/** Format a score with its sign: +0.93. */
export function signed(score, digits = 2) {
  return (score < 0 ? MINUS : "+") + Math.abs(score).toFixed(digits);
}

/** Format a share as a percentage: 87%. */
export function percent(share, digits = 0) {
  return `${(share * 100).toFixed(digits)}%`;
}

/**
 * Format parts of a whole as percentages that add up to 100%: those with the largest remainders are rounded up.
 * `src/blueprints/pages.py` has the same in Python.
 */
export function percentages(parts, digits = 0) {
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const steps = 100 * 10 ** digits;
  const exact = parts.map((part) => (whole ? (part / whole) * steps : 0));
  const rounded = exact.map(Math.floor);
  const missing = whole ? steps - rounded.reduce((sum, part) => sum + part, 0) : 0;
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b] - rounded[b] - (exact[a] - rounded[a]));
  for (const index of byRemainder.slice(0, missing)) rounded[index] += 1;
  return rounded.map((part) => `${(part / 10 ** digits).toFixed(digits)}%`);
}

/** Format a time to the minute, in UTC as the service sends it. */
export function minute(time) {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
