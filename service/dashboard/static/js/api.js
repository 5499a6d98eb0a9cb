// The one place where requests are made: what a key, a header or another limit needs is added here.

import {askForKey, keyHeader} from "./access.js";

const LIMIT_MS = 10_000;

/** An answer that is a problem (RFC 9457): `status`, and what it says. */
export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
    this.title = title;
  }

  /** A route that this service does not have, as opposed to a thing that is not there. */
  get isUnknownRoute() {
    return this.status === 404 || this.status === 405;
  }
}

/** No answer at all, or one of something that stands between. */
export class Disconnected extends Error {}

const BETWEEN = new Set([502, 504]);

/**
 * Ask for `path`, relative to the page, so that it works behind any prefix. Returns the JSON of the answer; null where
 * it has none. Throws Problem, Disconnected.
 */
export async function ask(path, {method = "GET", body} = {}) {
  const sentKey = keyHeader();
  const headers = {Accept: "application/json", ...sentKey};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(LIMIT_MS),
    });
  } catch (error) {
    throw new Disconnected(error.name === "TimeoutError" ? "no answer within 10 s" : "no connection");
  }
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const answer = isJson ? await response.json().catch(() => null) : null;
  if (response.ok) return answer;
  if (response.status === 401) askForKey(answer?.detail ?? "", sentKey);
  if (BETWEEN.has(response.status) && !answer) throw new Disconnected(`a proxy answers ${response.status}`);
  throw new Problem(response.status, answer?.title ?? `HTTP ${response.status}`, answer?.detail);
}

export const post = (path, body) => ask(path, {method: "POST", body});

/** What `path` says, or null where this service has no such route. */
export async function askIfThere(path) {
  try {
    return await ask(path);
  } catch (error) {
    if (error instanceof Problem && error.isUnknownRoute) return null;
    throw error;
  }
}
