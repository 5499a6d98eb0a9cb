// The key that the page asks with, where the service wants one: asked for once, kept for this tab and no longer.

import {byId} from "./dom.js";

const PLACE = "aside-api-key";

/** What says who asks; nothing where there is no key. */
export function keyHeader() {
  const key = sessionStorage.getItem(PLACE);
  return key ? {Authorization: `Bearer ${key}`} : {};
}

/** The service wants a key, or does not want the one that was `sent`: `reason` says why. */
export function askForKey(reason, sent) {
  if (sent.Authorization === keyHeader().Authorization) sessionStorage.removeItem(PLACE);
  else return; // another one has been given meanwhile
  byId("access-reason").textContent = reason;
  byId("access").hidden = false;
}

/** Take a key where it is asked for, and call `taken` when there is one. */
export function keepAccessForm(taken) {
  byId("access-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("access-key");
    if (!field.value.trim()) return;
    sessionStorage.setItem(PLACE, field.value.trim());
    field.value = "";
    byId("access").hidden = true;
    taken();
  });
}
