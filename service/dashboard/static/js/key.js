// Looks at one key: what the cache holds, what PostgreSQL has, and why; and purges or warms it.

import {Problem, ask, post} from "./api.js";
import {byId, el, facts, sign} from "./dom.js";
import * as format from "./format.js";
import {purge} from "./purge.js";

const LEVELS = {fresh: "ok", leased: "note", absent: "note", expired: "note", outdated: "warning", unreadable: "warning", off: "warning", unknown: "warning"};

let changed = () => {};

/** `country/JP`, `country:JP` and `cache:country:JP` are the same key; null for what is none. */
export function keyOf(text) {
  const found = /^(?:cache:)?([a-z][a-z0-9_-]{0,62})[/:]([A-Za-z0-9][A-Za-z0-9._~:@-]{0,254})$/.exec(text.trim());
  return found && {type: found[1], id: found[2]};
}

const lifetimes = (entry) => [
  ["age", format.seconds(entry.age_seconds)],
  ["fresh for", format.seconds(entry.fresh_for_seconds)],
  ["then stale for", entry.stale_for_seconds ? format.seconds(entry.stale_for_seconds) : null],
  ["Redis drops it in", format.seconds(entry.expires_in_seconds)],
];

function panels({entry, row, row_fault: fault, lease, refresh_claimed_for_seconds: claim, last_change: change, policy, cache}) {
  return el("div", {class: "facts"},
    facts("In the cache", entry ? [
      ["holds", entry.kind === "negative" ? "“there is none”" : "a value"], ["version", String(entry.version)], ...lifetimes(entry),
      ["written", format.ago(entry.written_at)], ["size", format.bytes(entry.bytes)], ["load took", format.seconds(entry.load_cost_seconds)],
    ] : [["holds", cache.on === null ? "not known: Redis does not answer" : "nothing"]]),
    facts("In PostgreSQL", row ? [
      ["exists", row.exists ? "yes" : "no"], ["version", String(row.version)], ["updated", format.ago(row.updated_at)],
      ["own lifetime", row.ttl_seconds ? format.seconds(row.ttl_seconds) : null],
    ] : [["row", fault ?? "there has never been one"]]),
    claim ? facts("Early refresh", [["claimed for", format.seconds(claim)]]) : null,
    lease ? facts("Being loaded", [["by lease", lease.token], ["expires in", format.seconds(lease.expires_in_seconds)]]) : null,
    change ? facts("Last change", [["version", String(change.version)], ["when", format.ago(change.at)], ["cache knows", change.applied ? "yes" : "not yet"]]) : null,
    policy ? facts("Policy", [
      ["strategy", policy.strategy], ["lifetime", format.seconds(policy.ttl_seconds)], ["stale if error", format.seconds(policy.stale_if_error_seconds)],
    ]) : null);
}

function show(type, id, told, said) {
  const outcome = el("p", {class: "outcome"}, said);
  const purgeIt = async () => {
    const done = await purge({entity_type: type, ids: [id]}, {words: `${type}/${id}`, outcome, jobsChanged: changed});
    if (done) await explain(type, id, outcome.textContent);
  };
  const warmIt = async () => {
    try {
      await post("v1/cache/warm", {entity_type: type, ids: [id]});
      outcome.textContent = "It is being warmed: see the jobs.";
      changed();
    } catch (error) {
      outcome.textContent = `Not warmed: ${error.message}`;
    }
  };
  const level = LEVELS[told.verdict] ?? "note";
  byId("explained").replaceChildren(el("div", {class: "outcome"},
    el("p", {}, sign(level), el("strong", {}, told.verdict), " ", el("code", {}, told.key)),
    el("p", {}, told.explanation), panels(told),
    el("div", {class: "buttons"},
      el("button", {type: "button", onclick: () => explain(type, id)}, "Look again"),
      el("button", {type: "button", onclick: purgeIt, id: "purge-key"}, "Purge it …"),
      el("button", {type: "button", onclick: warmIt}, "Warm it")), outcome));
}

const refuse = (text) => byId("explained").replaceChildren(el("p", {class: "outcome"}, sign("warning"), text));

/** Ask about a key, and show it in its place, with what has just been `said` of it. */
export async function explain(type, id, said = "") {
  byId("key").value = `${type}/${id}`;
  try {
    show(type, id, await ask(`v1/cache/entries/${encodeURIComponent(type)}/${encodeURIComponent(id)}`), said);
  } catch (error) {
    const isMissing = error instanceof Problem && error.isUnknownRoute;
    refuse(isMissing ? "Explaining a key is not available from this service." : `No answer: ${error.message}`);
  }
  byId("steer").scrollIntoView({block: "nearest", behavior: "smooth"});
}

export function keepKeyForm({jobsChanged}) {
  changed = jobsChanged;
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const key = keyOf(byId("key").value);
    if (key) explain(key.type, key.id);
    else refuse("That is no key: a type, a slash, and an id, such as country/JP.");
  });
}
