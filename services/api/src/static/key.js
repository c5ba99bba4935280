// The API key that a service with API_KEYS requires, kept until the tab is closed.

const form = document.getElementById("key");
const input = document.getElementById("api-key");
const sections = document.querySelectorAll("main > section");
const STORAGE_NAME = "api-key";
const REFUSED = "This key is not accepted. Check it and try again.";

/** Return the headers that carry the key; none without one. */
export function headers() {
  const key = sessionStorage.getItem(STORAGE_NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/**
 * Show the sections that a service with API_KEYS serves hidden, or prompt for a key. Call this once the page handles its
 * forms: a form that the browser itself sends carries no key.
 */
export function unlock() {
  const locked = Array.from(sections).some((section) => section.hidden);
  if (locked && !sessionStorage.getItem(STORAGE_NAME)) promptForKey();
  else for (const section of sections) section.hidden = false;
}

/** Prompt for a key, because there is none or the service refused it. */
export function promptForKey() {
  if (!form.hidden) return;
  form.hidden = false;
  form.querySelector(".error").textContent = sessionStorage.getItem(STORAGE_NAME) ? REFUSED : "";
  sessionStorage.removeItem(STORAGE_NAME);
  for (const section of sections) section.hidden = true;
  input.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = input.value.trim();
  // No header can carry a curly quote or an invisible space, so the browser would not send a request with one.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    form.querySelector(".error").textContent = REFUSED;
    return;
  }
  sessionStorage.setItem(STORAGE_NAME, key);
  location.reload();
});
