// What the reviews that the filters let through say together.

import { judged } from "./accuracy.js";
import { query } from "./address.js";
import { call } from "./api.js";
import { bars } from "./charts.js";
import { element, showProblem } from "./dom.js";
import { signed } from "./review.js";

const MOST_BARS = 60;
const place = document.getElementById("summary");
let asked = new AbortController();

/** Show the summary of the reviews that `filters` let through. */
export async function load(filters) {
  asked.abort();
  asked = new AbortController();
  place.hidden = false;
  place.setAttribute("aria-busy", "true");
  try {
    const { data } = await call(`/sentiments/summary${query(filters)}`, { signal: asked.signal });
    place.hidden = data.reviews === 0;
    place.replaceChildren(...drawn(data));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    const line = element("p", { class: "state" });
    showProblem(line, problem, () => load(filters));
    place.replaceChildren(line);
  }
  place.setAttribute("aria-busy", "false");
}

function drawn(data) {
  const charts = element("div", { class: "charts" }, overTime(data.days), byScore(data.histogram));
  return [...counts(data), charts, ...inUse(data.accuracy)];
}

function counts(data) {
  const share = (part) => (data.reviews ? `${Math.round((100 * part) / data.reviews)}%` : "");
  const count = (number) => number.toLocaleString("en");
  const line = element(
    "p", { class: "counts" },
    element("b", {}, count(data.reviews)), ` review${data.reviews === 1 ? "" : "s"}: `,
    element("span", { class: "positive" }, `+ ${count(data.positive)} positive (${share(data.positive)})`), ", ",
    element("span", { class: "negative" }, `\u2212 ${count(data.negative)} negative (${share(data.negative)})`),
    `, mean score ${signed(data.mean_score ?? 0)}.`,
  );
  if (!data.truncated) return [line];
  return [line, element("p", { class: "notice" }, "There are more: these figures are of the newest 100,000 that match.")];
}

/** Days, or as many days together as keep the bars few. */
function overTime(days) {
  if (!days.length) return element("figure");
  const first = Date.parse(days[0].day);
  const number = (day) => Math.round((Date.parse(day) - first) / 86_400_000);
  const together = Math.ceil((number(days.at(-1).day) + 1) / MOST_BARS);
  const date = (index) => new Date(first + index * together * 86_400_000).toISOString().slice(0, 10);
  const found = Array.from({ length: Math.floor(number(days.at(-1).day) / together) + 1 }, (_, index) => ({
    label: date(index), positive: 0, negative: 0,
  }));
  for (const day of days) {
    found[Math.floor(number(day.day) / together)].positive += day.positive;
    found[Math.floor(number(day.day) / together)].negative += day.negative;
  }
  const unit = together === 1 ? "day" : `${together} days`;
  const ends = days.length > 1 ? [days[0].day, days.at(-1).day] : [days[0].day];
  const described = `Reviews by ${unit}, from ${days[0].day} to ${days.at(-1).day}; positive above negative`;
  return bars(`Over time, by ${unit} (UTC)`, described, found, ends, ["From", "Positive", "Negative"]);
}

function byScore(histogram) {
  const found = histogram.map((bin) => ({
    label: `${signed(bin.from, 1)} to ${signed(bin.to, 1)}`,
    positive: bin.from >= 0 ? bin.reviews : 0,
    negative: bin.from < 0 ? bin.reviews : 0,
  }));
  const fullest = histogram.reduce((best, bin) => (bin.reviews > best.reviews ? bin : best));
  const described = `Reviews by score; the most, ${fullest.reviews}, between ${signed(fullest.from, 1)} and ${signed(fullest.to, 1)}`;
  return bars("By score", described, found, ["\u22121", "0", "+1"], ["Score", "Positive", "Negative"]);
}

/** How often people agreed, for models of which somebody said something. */
function inUse(models) {
  const list = judged(models);
  if (!list) return [];
  return [
    element("h3", {}, "Accuracy in use"),
    list,
    element("p", { class: "about" }, "People look at doubtful reviews first: of all reviews, more may be right."),
  ];
}
