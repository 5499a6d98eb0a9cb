// The figures of the moment, one tile each; what is bad is marked, and says so in words.

import {byId, el} from "./dom.js";
import * as format from "./format.js";

const last = (column) => column?.at(-1) ?? null;
const sum = (columns) => Object.values(columns).reduce((total, column) => total + (last(column) ?? 0), 0);

function connections(database) {
  const shares = Object.entries(database.connections).filter(([share]) => share !== "relay");
  const busy = shares.reduce((total, [, share]) => total + share.busy, 0);
  const allowed = shares.reduce((total, [, share]) => total + share.allowed, 0);
  const names = {load: "loads", write: "writes", browse: "lists"};
  const each = shares.filter(([share]) => names[share]).map(([share, taken]) => `${names[share]} ${taken.busy}/${taken.allowed}`);
  return ["Busy connections", `${busy} of ${allowed}`, each.join(", "), shares.some(([, taken]) => taken.allowed && taken.busy >= taken.allowed)];
}

function memory(redis) {
  if (!redis.reachable) return ["Redis memory", "–", "Redis does not answer", true];
  const of = redis.limit_bytes ? `of ${format.bytes(redis.limit_bytes)}, ${redis.policy}` : "no limit is set";
  return ["Redis memory", format.bytes(redis.used_bytes), of, Boolean(redis.warning)];
}

function audit({audit: told}) {
  const nines = told.stale ? `${format.count(told.stale)} stale` : told.nines ? `${told.nines} nines` : "–";
  return ["Audit", nines, `${format.count(told.checked)} checked, ${format.count(told.stale)} stale; ${told.state}`, told.stale > 0];
}

/** Each: name, figure, what stands beside it, whether it is bad. */
function tiles(stats, history, type) {
  const reads = (type ? stats.requests.entity_types[type] : stats.requests.all) ?? stats.requests.all;
  const {requests, cache_reads: cacheReads, database_loads: loads} = stats.latency;
  const {cache} = stats;
  return [
    ["Hit ratio", format.percent(reads.last_minute.hit_ratio), `15 min: ${format.percent(reads.last_15_minutes.hit_ratio)}`, false],
    ["Reads", format.rate(sum(history.requests_per_second)), type ? `of type ${type}` : "of all types", false],
    ["Request, p99", format.seconds(requests.last_minute.p99_seconds), `p50: ${format.seconds(requests.last_minute.p50_seconds)}`, false],
    ["Cache read, p99", format.seconds(cacheReads.last_minute.p99_seconds), `p50: ${format.seconds(cacheReads.last_minute.p50_seconds)}`, false],
    ["Load, p99", format.seconds(loads.last_minute.p99_seconds), `p50: ${format.seconds(loads.last_minute.p50_seconds)}`, false],
    ["Database loads", format.rate(last(history.load_batches_per_second)), `${format.rate(last(history.loaded_keys_per_second))} keys`, false],
    connections(stats.database),
    ["Early refreshes", format.rate(last(history.early_refreshes_per_second)), `${format.count(stats.work.early_refreshes)} since the start`, false],
    ["Relay lag", format.seconds(cache.heartbeat_age_seconds === null ? null : cache.relay_lag_seconds), `relay: ${cache.relay}`, !["leading", "following"].includes(cache.relay)],
    ["Heartbeat age", format.seconds(cache.heartbeat_age_seconds), `counts for ${format.seconds(stats.bound_seconds)}`, cache.heartbeat_age_seconds === null],
    audit(stats),
    memory(stats.redis),
    ["Evictions", format.rate(last(history.evicted_keys_per_second)), `${format.count(stats.redis.evicted_keys)} since Redis began`, false],
  ];
}

export function showTiles(stats, history, type) {
  byId("tiles").replaceChildren(...tiles(stats, history, type).map(([name, figure, beside, isBad]) => el(
    "div", {class: isBad ? "tile bad" : "tile"}, el("dt", {}, name),
    el("dd", {class: "figure"}, figure, isBad ? el("span", {class: "unseen"}, " (bad)") : null),
    el("dd", {class: "beside"}, beside))));
}
