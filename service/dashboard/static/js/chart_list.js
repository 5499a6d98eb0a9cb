// Which charts there are: title, unit, series. `of` picks a column out of the history; colours are numbers of series.

import * as format from "./format.js";

const line = (label, of, place, more = {}) => ({label, of, place, ...more});
const requests = (outcome) => (history) => history.requests_per_second[outcome];
const percentiles = (kind) => [
  line("p50", (history) => history.latency_seconds[kind].p50, 3),
  line("p95", (history) => history.latency_seconds[kind].p95, 1),
  line("p99", (history) => history.latency_seconds[kind].p99, 2),
];
const busy = (share) => (history) => history.busy_connections[share] ?? [];

const DURATION = {show: format.seconds, isLog: true};
const RATE = {show: format.rate};

/** `byType`: whether the selector of a type filters it. */
export const CHARTS = [
  {title: "Hit ratio", note: "hits in all reads", byType: true, show: format.percent, range: [0, 1], empty: "nothing was read",
    series: [line("hit ratio", (history) => history.hit_ratio, 1, {fill: true})]},
  {title: "Reads by outcome", note: "per second", byType: true, ...RATE, empty: "nothing was read", series: [
    line("hit", requests("hit"), 1), line("negative hit", requests("negative_hit"), 3), line("miss", requests("miss"), 2),
    line("bypass", requests("bypass"), 5), line("off", requests("off"), 4), line("stale", requests("stale"), 6)]},
  {title: "Latency of requests", note: "entities and parameters", ...DURATION, empty: "no request", series: percentiles("requests")},
  {title: "Latency of cache reads", note: "batches that Redis answered", ...DURATION, empty: "no read", series: percentiles("cache_reads")},
  {title: "Latency of loads", note: "batches from PostgreSQL", ...DURATION, empty: "no load", series: percentiles("database_loads")},
  {title: "Database loads", note: "per second", ...RATE, series: [
    line("queries", (history) => history.load_batches_per_second, 1),
    line("keys", (history) => history.loaded_keys_per_second, 2)]},
  {title: "Busy connections", note: "to PostgreSQL, by share", show: format.figure, series: [
    line("loads", busy("load"), 1), line("writes", busy("write"), 2), line("lists", busy("browse"), 3),
    line("relay", busy("relay"), 5), line("spare", busy("spare"), 6)]},
  {title: "Writes and early refreshes", note: "per second", ...RATE, series: [
    line("writes", (history) => history.writes_per_second, 2),
    line("early refreshes", (history) => history.early_refreshes_per_second, 1)]},
  {title: "Heartbeat and relay", note: "age; a gap: no heartbeat", show: format.seconds, series: [
    line("heartbeat age", (history) => history.heartbeat_age_seconds, 1),
    line("relay lag", (history) => history.relay_lag_seconds, 2)]},
  {title: "Redis memory", note: "in use; a gap: no answer", show: format.bytes, isBinary: true, series: [
    line("used", (history) => history.redis_used_bytes, 1, {fill: true})]},
  {title: "Evictions", note: "keys per second", ...RATE, series: [
    line("evicted", (history) => history.evicted_keys_per_second, 2)]},
  {title: "Audit", note: "entries per second", byType: true, ...RATE, series: [
    line("checked", (history) => history.audit_checked_per_second, 1),
    line("stale", (history) => history.audit_stale_per_second, 2)]},
];
