// Elements. Text only ever becomes text: there is no way from here to markup.

/** Return an HTML element with attributes and children (strings become text). */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Return an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** Return a copy of a template's only element, and its parts by their `data-field`, each a list. */
export function copy(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  const fields = {};
  for (const part of root.querySelectorAll("[data-field]")) (fields[part.dataset.field] ??= []).push(part);
  return { root, fields };
}

/** Show a problem in a place, with a button that tries again. */
export function showProblem(place, problem, again) {
  const wait = problem.retryAfter ? ` Try again in ${problem.retryAfter} s.` : "";
  const button = element("button", { type: "button", class: "quiet" }, "Try again");
  button.addEventListener("click", again);
  place.replaceChildren(element("span", { class: "error" }, problem.message + wait), " ", button);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
