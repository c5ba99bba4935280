// The key that a service with API_KEYS asks for, kept for the tab.

const form = document.getElementById("key");
const input = document.getElementById("api-key");
const sections = document.querySelectorAll("main > section");
const KEPT = "api-key";
const WRONG = "That key opens nothing here.";

/** Return the headers that carry the key, if there is one. */
export function headers() {
  const key = sessionStorage.getItem(KEPT);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/**
 * Show what a service with API_KEYS serves hidden, once the page is listening: a form that is sent before that goes
 * without the key.
 */
export function open() {
  const locked = Array.from(sections).some((section) => section.hidden);
  if (locked && !sessionStorage.getItem(KEPT)) ask();
  else for (const section of sections) section.hidden = false;
}

/** Ask for a key, for there is none or it opens nothing. */
export function ask() {
  if (!form.hidden) return;
  form.hidden = false;
  form.querySelector(".error").textContent = sessionStorage.getItem(KEPT) ? WRONG : "";
  sessionStorage.removeItem(KEPT);
  for (const section of sections) section.hidden = true;
  input.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = input.value.trim();
  // What else is pasted, a curly quote or an invisible space, no header can carry: a request with it is never sent.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    form.querySelector(".error").textContent = WRONG;
    return;
  }
  sessionStorage.setItem(KEPT, key);
  location.reload();
});
