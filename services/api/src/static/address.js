// What the page shows, as its address says it: filters, one review opened, two model versions compared.

const FILTERS = ["q", "sentiment", "min_confidence", "max_confidence", "since", "until", "model_version", "corrected"];

/** Return {filters, review, versions} of the address that the browser shows; `versions` is {old, new} or null. */
export function read() {
  const query = new URLSearchParams(location.search);
  const filters = {};
  for (const name of FILTERS) if (query.get(name)) filters[name] = query.get(name);
  const versions = { old: query.get("old"), new: query.get("new") };
  return { filters, review: query.get("review"), versions: versions.old && versions.new ? versions : null };
}

/** Return a query string, with its `?`, or "". */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== "" && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** Return the page's address for a state. */
export function page({ filters, review, versions }) {
  return `/${query({ ...filters, ...versions, review })}`;
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
