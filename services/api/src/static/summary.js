// The summary of the reviews that match the filters.

import { accuracyList } from "./accuracy.js";
import { query } from "./address.js";
import { call } from "./api.js";
import { barChart, legend } from "./charts.js";
import { element, showProblem } from "./dom.js";
import { count, percentages, SENTIMENTS, signed } from "./format.js";

const MAX_BARS = 60;
const DAY_MILLISECONDS = 86_400_000;
const container = document.getElementById("summary");
let pending = new AbortController();

/** Show the summary of the reviews that match `filters`. */
export async function load(filters) {
  pending.abort();
  pending = new AbortController();
  container.hidden = false;
  container.setAttribute("aria-busy", "true");
  try {
    const { data } = await call(`/sentiments/summary${query(filters)}`, { signal: pending.signal });
    container.hidden = data.reviews === 0;
    container.replaceChildren(...render(data));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    const line = element("p", { class: "state" });
    showProblem(line, problem, () => load(filters));
    container.replaceChildren(line);
  }
  container.setAttribute("aria-busy", "false");
}

function render(data) {
  const charts = element("div", { class: "charts" }, dayChart(data.days), scoreChart(data.histogram));
  return [...counts(data), charts, ...accuracy(data.accuracy)];
}

function counts(data) {
  const shares = percentages(SENTIMENTS.map((sentiment) => data[sentiment]));
  const line = element(
    "p", { class: "counts" },
    element("b", {}, count(data.reviews)), ` review${data.reviews === 1 ? "" : "s"}: `,
    ...SENTIMENTS.flatMap((sentiment, index) => [
      index ? ", " : "", legend(sentiment, `${count(data[sentiment])} ${sentiment} (${shares[index]})`),
    ]),
    `, mean score ${signed(data.mean_score ?? 0)}.`,
  );
  if (!data.truncated) return [line];
  return [line, element("p", { class: "notice" }, "More than 100,000 reviews match. These figures cover the newest 100,000; add a filter to see others.")];
}

/** Return the chart of reviews over time. A bar stands for several days if there would be too many bars. */
function dayChart(days) {
  if (!days.length) return element("figure");
  const first = Date.parse(days[0].day);
  const number = (day) => Math.round((Date.parse(day) - first) / DAY_MILLISECONDS);
  const last = number(days.at(-1).day);
  const perBar = Math.ceil((last + 1) / MAX_BARS);
  const date = (index) => new Date(first + index * perBar * DAY_MILLISECONDS).toISOString().slice(0, 10);
  const bars = Array.from({ length: Math.floor(last / perBar) + 1 }, (_, index) => ({
    label: date(index), parts: SENTIMENTS.map(() => 0),
  }));
  for (const day of days) {
    const bar = bars[Math.floor(number(day.day) / perBar)];
    SENTIMENTS.forEach((sentiment, part) => (bar.parts[part] += day[sentiment]));
  }
  const unit = perBar === 1 ? "day" : `${perBar} days`;
  const ends = days.length > 1 ? [days[0].day, days.at(-1).day] : [days[0].day];
  const description = `Reviews by ${unit}, from ${days[0].day} to ${days.at(-1).day}; positive above neutral above negative`;
  const series = SENTIMENTS.map((kind) => ({ kind, name: kind[0].toUpperCase() + kind.slice(1) }));
  return barChart(`Over time, by ${unit} (UTC)`, description, bars, series, ends, "From");
}

function scoreChart(histogram) {
  const bars = histogram.map((bin) => ({
    label: `${signed(bin.from, 1)} to ${signed(bin.to, 1)}`,
    parts: [bin.reviews],
  }));
  const fullest = histogram.reduce((best, bin) => (bin.reviews > best.reviews ? bin : best));
  const description = `Reviews by score; the tallest bar, ${fullest.reviews}, is from ${signed(fullest.from, 1)} to ${signed(fullest.to, 1)}`;
  return barChart("By score", description, bars, [{ kind: "any", name: "Reviews" }], ["\u22121", "0", "+1"], "Score");
}

/** Return how often people agreed with each model that they judged. */
function accuracy(models) {
  const list = accuracyList(models);
  if (!list) return [];
  return [
    element("h3", {}, "Accuracy in use"),
    list,
    element("p", { class: "about" }, "People tend to check doubtful reviews, so accuracy over all reviews may be higher."),
  ];
}
