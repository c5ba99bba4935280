// The state of the page, kept in its address: filters, the open review, and the two model versions compared.

const FILTERS = [
  "q", "sentiment", "min_confidence", "max_confidence", "since", "until", "model_version", "corrected",
  "movie", "reference", "written_since", "written_until",
];
const METADATA = "metadata."; // followed by a name of metadata

/** Return {filters, review, versions} from the browser's address; `versions` is {old, new} or null. */
export function read() {
  const parameters = new URLSearchParams(location.search);
  const filters = {};
  for (const [name, value] of parameters) {
    if (value && (FILTERS.includes(name) || name.startsWith(METADATA))) filters[name] = value;
  }
  const versions = { old: parameters.get("old"), new: parameters.get("new") };
  return { filters, review: parameters.get("review"), versions: versions.old && versions.new ? versions : null };
}

/** Return a query string that starts with `?`, or "" if no value is given. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== "" && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** Return the page's address for a state. */
export function page({ filters, review, versions }) {
  return `/${query({ ...filters, ...versions, review })}`;
}

/**
 * Go to a state. While a person types, each state replaces the previous one, so that the back button leaves the search
 * instead of undoing it letter by letter.
 */
export function go(state, { typing = false } = {}) {
  if (page(state) === location.pathname + location.search) return;
  const method = typing && history.state?.typing ? "replaceState" : "pushState";
  history[method]({ typing }, "", page(state));
  dispatchEvent(new Event("statechange"));
}
