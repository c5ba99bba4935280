// How often people agree with a model.

import { element, svg } from "./dom.js";

/** Return a share as people read it: 87%. */
export function percent(share) {
  return `${(share * 100).toFixed(0)}%`;
}

/** Return a list of the models of which somebody said something, or null. */
export function judged(models) {
  const rows = models.filter((model) => model.corrections > 0).map(row);
  return rows.length ? element("ul", { class: "models" }, ...rows) : null;
}

function row(model) {
  const [low, high] = model.interval;
  const place = (share) => 100 * share;
  const drawing = svg(
    "svg", { viewBox: "0 0 100 10", class: "interval", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 100, y1: 5, y2: 5 }),
    svg("line", { class: "range", x1: place(low), x2: place(high), y1: 5, y2: 5 }),
    svg("circle", { cx: place(model.accuracy), cy: 5, r: 3 }),
  );
  const words = `${model.model_version}: right in ${percent(model.accuracy)} of ${model.corrections} that a person judged`;
  return element("li", {}, `${words} (95% interval ${percent(low)} to ${percent(high)}).`, drawing);
}
