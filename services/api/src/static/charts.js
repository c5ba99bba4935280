// Bar charts as SVG, each with a description and a table of its figures.

import { element, svg } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 120;
const GAP = 1;

/**
 * Return a figure of stacked bars.
 * @param {string} title caption
 * @param {string} description text for people who cannot see the chart
 * @param {{label: string, positive: number, negative: number}[]} bars
 * @param {string[]} ends labels below the chart, spread from the first bar to the last
 * @param {string[]} columns headings of the table
 */
export function barChart(title, description, bars, ends, columns) {
  const largest = Math.max(1, ...bars.map((bar) => bar.positive + bar.negative));
  const width = Math.min(40, WIDTH / Math.max(1, bars.length));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": description });
  bars.forEach((bar, index) => {
    const x = index * width;
    const negative = (bar.negative / largest) * HEIGHT;
    const positive = (bar.positive / largest) * HEIGHT;
    drawing.append(
      rectangle("negative", x, HEIGHT - negative, width, negative, bar),
      rectangle("positive", x, HEIGHT - negative - positive, width, positive, bar),
    );
  });
  return element(
    "figure", {},
    element("figcaption", {}, title),
    drawing,
    element("p", { class: "ends", "aria-hidden": "true" }, ...ends.map((end) => element("span", {}, end))),
    table(title, columns, bars.map((bar) => [bar.label, bar.positive, bar.negative])),
  );
}

function table(title, columns, rows) {
  const line = (cells, name) => element("tr", {}, ...cells.map((cell) => element(name, {}, format(cell))));
  return element(
    "details", {},
    element("summary", {}, "Show as a table"),
    element(
      "div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": `${title}, as a table` },
      element("table", {}, element("thead", {}, line(columns, "th")), element("tbody", {}, ...rows.map((row) => line(row, "td")))),
    ),
  );
}

function rectangle(kind, x, y, width, height, bar) {
  const shape = svg("rect", { class: kind, x, y, width: Math.max(0.5, width - GAP), height });
  shape.append(svg("title", {}, `${bar.label}: ${bar.positive} positive, ${bar.negative} negative`));
  return shape;
}

function format(cell) {
  return typeof cell === "number" ? cell.toLocaleString("en") : cell;
}
