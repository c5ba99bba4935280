// The one way to the service. Every call resolves to {data, next} or throws a Problem.

import * as lock from "./key.js";

export class Problem extends Error {
  /**
   * @param {string} message what a person is told
   * @param {number} status HTTP's, or 0 where nothing answered
   * @param {number} retryAfter seconds, or 0
   */
  constructor(message, status = 0, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Ask for `path`; `body` is sent as JSON, and with `key` stored once however often it is sent. @returns {Promise<{data: any, next: string|null}>} */
export async function call(path, { method = "GET", body, key, signal } = {}) {
  const headers = { Accept: "application/json", ...lock.headers() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(navigator.onLine ? "The service does not answer." : "You are offline.");
  }
  if (answer.status === 401) lock.ask();
  if (!answer.ok) throw await problem(answer);
  const link = answer.headers.get("Link");
  return {
    data: answer.status === 204 ? null : await answer.json(),
    next: link ? link.slice(1, link.indexOf(">")) : null,
  };
}

/** Return a new key. (`crypto.randomUUID` is there only over HTTPS and on localhost.) */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");
}

async function problem(answer) {
  const seconds = Number(answer.headers.get("Retry-After")) || 0;
  let text = `The service answered ${answer.status}.`;
  try {
    const said = await answer.json();
    text = said.errors?.map((error) => `${error.pointer.slice(1)}: ${error.detail}`).join(" ") || said.detail || text;
  } catch {
    // a proxy's page, say
  }
  return new Problem(text, answer.status, seconds);
}
