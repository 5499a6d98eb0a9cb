// The tables: entity types, hottest keys, jobs, policies. What this service does not offer says so.

import {ask, askIfThere} from "./api.js";
import {byId, el, table} from "./dom.js";
import {explain} from "./key.js";
import * as format from "./format.js";
import {keepPolling} from "./polling.js";

const NOT_AVAILABLE = "not available from this service";
const missing = () => el("p", {class: "dim"}, NOT_AVAILABLE);

export function showTypes(stats) {
  const rows = Object.entries(stats.requests.entity_types).map(([type, spans]) => ({type, spans, audit: stats.audit.entity_types[type]}));
  const perSecond = ({covers_seconds: covers, hit_ratio: _, ...outcomes}) => {
    const all = Object.values(outcomes).reduce((total, one) => total + one, 0);
    return covers ? format.rate(all / covers) : "–";
  };
  byId("by-type").replaceChildren(table([
    ["type", (row) => row.type, "nowrap"],
    ["reads", (row) => perSecond(row.spans.last_minute), "number"],
    ["hits, 1 min", (row) => format.percent(row.spans.last_minute.hit_ratio), "number"],
    ["15 min", (row) => format.percent(row.spans.last_15_minutes.hit_ratio), "number"],
    ["audited", (row) => format.count(row.audit?.checked), "number"],
    ["stale", (row) => format.count(row.audit?.stale), "number"],
  ], rows, "no types yet"));
}

function showHot(answer) {
  const open = ({entity_type: type, id}) => el("button", {type: "button", class: "key", onclick: () => explain(type, id)}, `${type}/${id}`);
  byId("hot").replaceChildren(answer === null ? missing() : table([
    ["key", open],
    ["reads", (row) => format.rate(row.reads_per_second), "number"],
  ], answer.keys, "nothing was read lately"));
}

const OVER = new Set(["done", "failed", "cancelled"]);

const COUNTS = ["rows", "keys", "installed", "purged", "present", "busy", "refused", "absent"];

function progressOf(job) {
  const rank = ([name]) => (COUNTS.indexOf(name) + COUNTS.length + 1) % (COUNTS.length + 1); // unheard-of ones last
  const told = Object.entries(job.progress ?? {}).sort((one, other) => rank(one) - rank(other));
  const counts = told.filter(([, value], place) => value || !place).map(([name, value]) => `${format.count(value)} ${name}`).join(", ");
  const done = job.progress?.rows ?? job.progress?.keys ?? job.progress?.purged;
  const bar = !OVER.has(job.state) && job.about && done !== undefined
    ? el("progress", {max: job.about, value: Math.min(done, job.about), "aria-label": "progress"}) : null;
  return el("span", {}, bar, bar ? " " : null, counts || "–", job.about && !OVER.has(job.state) ? ` of about ${format.count(job.about)}` : "");
}

export function wantedOf({entity_type: type, entity_types: types, ids, prefix, hot, all, keys, dry_run: isDry}) {
  const what = all ? "everything" : hot ? `the ${format.count(hot)} hottest keys`
    : ids ? `${format.count(ids.length)} ids of ${type}` : keys ? `${format.count(keys.length)} keys`
      : (type ?? (types?.length ? types.join(", ") : "all types"));
  return `${what}${prefix ? `, ids from ${prefix}` : ""}${isDry ? " (counts only)" : ""}`;
}

function showJobs(answer, cancel) {
  byId("jobs").replaceChildren(answer === null ? missing() : table([
    ["job", (job) => String(job.id), "number"],
    ["kind", (job) => job.kind],
    ["of", (job) => wantedOf(job.wanted ?? {})],
    ["state", (job) => (job.error ? `${job.state}: ${job.error}` : job.state)],
    ["progress", progressOf],
    ["begun", (job) => format.ago(job.started_at ?? job.created_at), "nowrap"],
    ["", (job) => (OVER.has(job.state) ? "" : el("button", {type: "button", onclick: () => cancel(job)}, "Cancel"))],
  ], answer.jobs.slice(0, 10), "no jobs yet"));
}

function showPolicies(answer) {
  byId("policies").replaceChildren(answer === null ? missing() : table([
    ["type", (policy) => policy.entity_type ?? "(default)", "nowrap"],
    ["strategy", (policy) => policy.strategy],
    ["lifetime", (policy) => format.seconds(policy.ttl_seconds), "number"],
    ["jitter", (policy) => format.percent(policy.jitter), "number"],
    ["absent", (policy) => format.seconds(policy.negative_ttl_seconds), "number"],
    ["stale if error", (policy) => format.seconds(policy.stale_if_error_seconds), "number"],
    ["early refresh β", (policy) => String(policy.early_refresh_beta), "number"],
    ["from", (policy) => (policy.version ? `${policy.source}, version ${policy.version}` : policy.source)],
  ], [{...answer.default, entity_type: null}, ...answer.policies], "no policies"));
}

/** Show what `path` says, now and then. A page is as new as its service: a route that is not there will not come. */
function keepShowing(path, everyMs, show) {
  let isThere = true;
  return keepPolling(everyMs, async () => {
    if (!isThere) return;
    const answer = await askIfThere(path);
    isThere = answer !== null;
    show(answer);
  }, quiet);
}

const quiet = () => {}; // the line on top says that the service does not answer

/** Keep them up to date. Returns a function that asks for the jobs at once. */
export function keepTables() {
  const cancel = async (job) => {
    await ask(`v1/cache/jobs/${job.id}`, {method: "DELETE"}).catch(quiet);
    askForJobs();
  };
  const askForJobs = keepShowing("v1/cache/jobs", 2000, (answer) => showJobs(answer, cancel));
  keepShowing("v1/cache/hot?limit=10", 5000, showHot);
  keepShowing("v1/cache/policies", 10_000, showPolicies);
  return askForJobs;
}
