// Accuracy of models, measured against what people said.

import { element, svg } from "./dom.js";
import { percent } from "./format.js";

/** Return a list of the models that people judged, or null if they judged none. */
export function accuracyList(models) {
  const rows = models.filter((model) => model.corrections > 0).map(row);
  return rows.length ? element("ul", { class: "models" }, ...rows) : null;
}

function row(model) {
  const [low, high] = model.interval;
  const x = (share) => 100 * share;
  const drawing = svg(
    "svg", { viewBox: "0 0 100 10", class: "interval", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 100, y1: 5, y2: 5 }),
    svg("line", { class: "range", x1: x(low), x2: x(high), y1: 5, y2: 5 }),
    svg("circle", { cx: x(model.accuracy), cy: 5, r: 3 }),
  );
  const reviews = `${model.corrections} review${model.corrections === 1 ? "" : "s"}`;
  const text = `${model.model_version}: right in ${percent(model.accuracy)} of ${reviews} that a person judged`;
  return element("li", {}, `${text} (95% confidence interval ${percent(low)} to ${percent(high)}).`, drawing);
}
