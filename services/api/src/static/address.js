// What the page shows, as its address says it: filters, and one review opened.

const FILTERS = ["q", "sentiment", "min_confidence", "max_confidence", "since", "until", "model_version", "corrected"];

/** Return {filters, review} of the address that the browser shows. */
export function read() {
  const query = new URLSearchParams(location.search);
  const filters = {};
  for (const name of FILTERS) if (query.get(name)) filters[name] = query.get(name);
  return { filters, review: query.get("review") };
}

/** Return a query string, with its `?`, or "". */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== "" && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** Return the page's address for a state. */
export function page({ filters, review }) {
  return `/${query({ ...filters, review })}`;
}

/**
 * Go to a state. While a person types, the state replaces the one before, so that going back leaves the search and does
 * not spell it backwards.
 */
export function go(state, { typing = false } = {}) {
  if (page(state) === location.pathname + location.search) return;
  const method = typing && history.state?.typing ? "replaceState" : "pushState";
  history[method]({ typing }, "", page(state));
  dispatchEvent(new Event("statechange"));
}
