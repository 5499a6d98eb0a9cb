// The line of words on top: how the service is, or since when it does not answer.

import {byId, el, sign} from "./dom.js";
import * as format from "./format.js";

const TITLES = {ok: "Aside", note: "Aside", warning: "! Aside", trouble: "✕ Aside"};
const kindOf = (text) => text.replace(/[\d.,%]+/g, "");

let announced = "";

/** Say it to those who hear the page, but not each time that a number in it changes. */
function announce(text) {
  if (kindOf(text) === announced) return;
  announced = kindOf(text);
  byId("announce").textContent = text;
}

function show(level, headline, others, freshness) {
  const status = byId("status");
  status.className = `status ${level}`;
  byId("headline").replaceChildren(sign(level), headline);
  byId("notices").replaceChildren(...others.map(({level: its, text}) => el("li", {}, sign(its), text)));
  byId("freshness").textContent = freshness;
  announce(headline);
  document.title = `${TITLES[level]}: ${headline}`;
}

export function showSituation([worst, ...others]) {
  document.body.classList.remove("old");
  show(worst.level, worst.text, others, `as of ${format.clock(new Date())}`);
}

/** `since` is a Date; what is shown below is as old as that. */
export function showDisconnected(since, reason) {
  document.body.classList.add("old");
  const past = format.seconds(Math.round((Date.now() - since) / 1000));
  show("trouble", `Disconnected since ${format.clock(since)} (${past}): the service does not answer`, [],
    `${reason}; what stands below is from then. It is asked again every 2 s.`);
}

export function showFailed(text) {
  show("warning", `The service answers, but not with its statistics: ${text}`, [], "");
}
