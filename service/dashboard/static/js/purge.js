// Purges keys: counts first, asks then. Nothing is lost by it but time: what is asked for again is loaded again.

import {Problem, ask, post} from "./api.js";
import {byId, el} from "./dom.js";
import {confirmed, keepFields, listOf} from "./forms.js";
import * as format from "./format.js";

const OVER = new Set(["done", "failed", "cancelled"]);
const PATIENCE_MS = 60_000;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const purgedOf = (answer) => answer.purged ?? answer.progress?.purged;

/** What a dry run has found: an answer with a number, or a job that has met so many keys. */
function wordsOfCount(counted) {
  if (counted.state && counted.state !== "done") {
    if (OVER.has(counted.state)) throw new Error(counted.error ?? `the count was ${counted.state}`);
    return `How many that are is not known yet: job ${counted.id}, which counts, is ${counted.state}.`;
  }
  const number = counted.purged ?? counted.progress.keys;
  return `${format.count(number)} cached ${number === 1 ? "entry" : "entries"} would be dropped.`;
}


/** A job when it is over, or when it has taken too long to wait for. Other answers as they are. */
async function settled(answer) {
  const until = performance.now() + PATIENCE_MS;
  let job = answer;
  while (job.state && !OVER.has(job.state) && performance.now() < until) {
    await pause(300);
    job = await ask(`v1/cache/jobs/${job.id}`);
  }
  return job;
}

const reasonOf = (error) => (error instanceof Problem && error.isUnknownRoute ? "purging is not available from this service" : error.message);

/** Count, ask, purge, and tell of it in `outcome`. True if it was purged. */
export async function purge(wanted, {words, outcome, jobsChanged}) {
  try {
    outcome.textContent = "Counting …";
    const counted = await settled(await post("v1/cache/purge", {...wanted, dry_run: true}));
    outcome.textContent = "";
    const isSure = await confirmed(`Purge ${words}?`, "Purge", el("p", {id: "confirm-count"}, wordsOfCount(counted)),
      el("p", {class: "dim"}, "No data is lost. Whatever is asked for again is read from PostgreSQL first."));
    if (!isSure) {
      outcome.textContent = "Nothing was purged.";
      return false;
    }
    const answer = await post("v1/cache/purge", wanted);
    jobsChanged();
    outcome.textContent = answer.state ? `Job ${answer.id} frees the memory …` : "";
    const done = await settled(answer);
    jobsChanged();
    if (done.state && done.state !== "done") throw new Error(done.error ?? `job ${done.id} is ${done.state}`);
    outcome.textContent = `Purged: ${words}; ${format.count(purgedOf(done))} dropped.`;
    return true;
  } catch (error) {
    outcome.textContent = `Not purged: ${reasonOf(error)}`;
    return false;
  }
}

function wantedOf({what, entity_type: type, ids, prefix}) {
  const its = type?.value.trim();
  switch (what.value) {
    case "ids": return [{entity_type: its, ids: listOf(ids.value)}, `${listOf(ids.value).join(", ")} of ${its}`];
    case "prefix": return [{entity_type: its, prefix: prefix.value.trim()}, `${its}, ids that begin with ${prefix.value.trim()}`];
    case "type": return [{entity_type: its}, `all of ${its}`];
    default: return [{all: true}, "everything"];
  }
}

export function keepPurgeForm({jobsChanged}) {
  const form = byId("purge-form");
  keepFields(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [wanted, words] = wantedOf(form.elements);
    const outcome = el("p", {class: "outcome"});
    byId("purge-result").replaceChildren(outcome);
    const button = form.querySelector("button");
    button.disabled = true;
    await purge(wanted, {words, outcome, jobsChanged});
    button.disabled = false;
  });
}
