// DOM elements. Strings always become text nodes, never markup.

/** Return an HTML element with attributes and children (strings become text). */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Return an SVG element with attributes and children. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** Return a copy of the only element in a template, and lists of its parts by their `data-field`. */
export function copy(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  const fields = {};
  for (const part of root.querySelectorAll("[data-field]")) (fields[part.dataset.field] ??= []).push(part);
  return { root, fields };
}

/** Show a problem in `container`, with a button that calls `retry`. */
export function showProblem(container, problem, retry) {
  const wait = problem.retryAfter && ` Try again in ${problem.retryAfter} s.`;
  const message = wait ? problem.message.replace(/ Try again\.$/, "") + wait : problem.message;
  const button = element("button", { type: "button", class: "quiet" }, "Try again");
  button.addEventListener("click", retry);
  container.replaceChildren(element("span", { class: "error" }, message), " ", button);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
