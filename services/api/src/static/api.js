// The client of the API. Every request of the page goes through `call`.

import * as key from "./key.js";

/** A request that failed. */
export class Problem extends Error {
  /**
   * @param {string} message text to show
   * @param {number} status HTTP status, or 0 if no response arrived
   * @param {number} retryAfter seconds to wait, or 0
   */
  constructor(message, status = 0, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * Send a request and return its response.
 * @param {{method?: string, body?: object, idempotencyKey?: string, signal?: AbortSignal}} options `body` is sent as
 *   JSON; requests with the same `idempotencyKey` store one review, however often they are sent
 * @returns {Promise<{data: any, next: string|null}>} the body, and the address of the next page
 * @throws {Problem}
 */
export async function call(path, { method = "GET", body, idempotencyKey, signal } = {}) {
  const headers = { Accept: "application/json", ...key.headers() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(navigator.onLine ? "The service did not respond. Check that it is running." : "You are offline. Reconnect first.");
  }
  if (response.status === 401) key.promptForKey();
  if (!response.ok) throw await problem(response);
  const link = response.headers.get("Link");
  return {
    data: response.status === 204 ? null : await response.json(),
    next: link ? link.slice(1, link.indexOf(">")) : null,
  };
}

/** Return a new idempotency key. (`crypto.randomUUID` exists only over HTTPS and on localhost.) */
export function newIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");
}

async function problem(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  let message = `The service responded with status ${response.status}.`;
  try {
    const body = await response.json();
    message = body.errors?.map((error) => `${error.pointer.slice(1)}: ${error.detail}`).join(" ") || body.detail || message;
  } catch {
    // Not JSON: a proxy's error page, for example.
  }
  return new Problem(message, response.status, retryAfter);
}
