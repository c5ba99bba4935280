// Bar charts as SVG, each with a description and a table of its figures.

import { element, svg } from "./dom.js";
import { count } from "./format.js";

const WIDTH = 320;
const HEIGHT = 120;
const GAP = 1;

/**
 * Return a figure of stacked bars.
 * @param {string} title caption
 * @param {string} description text for people who cannot see the chart
 * @param {{label: string, parts: number[]}[]} bars their parts from the top down
 * @param {{kind: string, name: string}[]} series one for each part: its class, and its name in the table
 * @param {string[]} ends labels below the chart, spread from the first bar to the last
 * @param {string} heading heading of the labels in the table
 */
export function barChart(title, description, bars, series, ends, heading) {
  const largest = Math.max(1, ...bars.map((bar) => sum(bar.parts)));
  const width = Math.min(40, WIDTH / Math.max(1, bars.length));
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": description });
  bars.forEach((bar, index) => {
    const tooltip = `${bar.label}: ${series.map(({ name }, part) => `${count(bar.parts[part])} ${name.toLowerCase()}`).join(", ")}`;
    let y = HEIGHT * (1 - sum(bar.parts) / largest);
    series.forEach(({ kind }, part) => {
      const height = (bar.parts[part] / largest) * HEIGHT;
      const shape = rectangle(kind, { x: index * width, y, width: Math.max(0.5, width - GAP), height });
      shape.append(svg("title", {}, tooltip));
      drawing.append(shape);
      y += height;
    });
  });
  return element(
    "figure", {},
    element("figcaption", {}, title),
    drawing,
    element("p", { class: "ends", "aria-hidden": "true" }, ...ends.map((end) => element("span", {}, end))),
    table(title, [heading, ...series.map(({ name }) => name)], bars.map((bar) => [bar.label, ...bar.parts])),
  );
}

/** Return a text about a sentiment, after a sample of how charts fill it. */
export function legend(sentiment, text) {
  const sample = svg("svg", { viewBox: "0 0 10 10", class: "sample", "aria-hidden": "true" }, rectangle(sentiment, { width: 10, height: 10 }));
  return element("span", { class: sentiment }, sample, text);
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

/** Return a rectangle that is filled as its kind is; the page's pattern `hatch` marks neutral without colour. */
function rectangle(kind, attributes) {
  return svg("rect", { class: kind, ...(kind === "neutral" && { fill: "url(#hatch)" }), ...attributes });
}

function sum(parts) {
  return parts.reduce((total, part) => total + part, 0);
}

function format(cell) {
  return typeof cell === "number" ? count(cell) : cell;
}
