// Warms: asks for a job that puts rows into the cache before anybody asks for them.

import {Problem, post} from "./api.js";
import {byId, el} from "./dom.js";
import {keepFields, listOf} from "./forms.js";

function wantedOf(fields) {
  switch (fields.what.value) {
    case "ids": return {entity_type: fields.entity_type.value.trim(), ids: listOf(fields.ids.value)};
    case "hot": return {hot: Number(fields.hot.value)};
    default: {
      const rows = Number(fields.rows_per_second.value);
      const types = listOf(fields.entity_types.value);
      return {entity_types: types, prefix: fields.prefix.value.trim(), ...(rows > 0 ? {rows_per_second: rows} : {})};
    }
  }
}

export function keepWarmForm({jobsChanged}) {
  const form = byId("warm-form");
  keepFields(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const outcome = el("p", {class: "outcome"});
    byId("warm-result").replaceChildren(outcome);
    try {
      const job = await post("v1/cache/warm", wantedOf(form.elements));
      outcome.textContent = `Job ${job.id} is ${job.state}: see the jobs.`;
      jobsChanged();
    } catch (error) {
      const isMissing = error instanceof Problem && error.isUnknownRoute;
      outcome.textContent = `Not warmed: ${isMissing ? "it is not available from this service" : error.message}`;
    }
  });
}
