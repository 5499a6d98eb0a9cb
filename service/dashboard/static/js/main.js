// Begins everything: asks every two seconds, and hands what was answered to the parts of the page.

import {keepAccessForm} from "./access.js";
import {Disconnected, ask} from "./api.js";
import {Charts} from "./charts.js";
import {byId, el} from "./dom.js";
import {History} from "./history.js";
import {keepKeyForm} from "./key.js";
import {keepPurgeForm} from "./purge.js";
import {keepTables} from "./tables.js";
import {keepWarmForm} from "./warm.js";
import {keepPolling} from "./polling.js";
import {showDisconnected, showFailed, showSituation} from "./status.js";
import {keepTheme} from "./theme_button.js";
import {showTypes} from "./tables.js";
import {showTiles} from "./tiles.js";

const EVERY_MS = 2000;

const charts = new Charts();
const history = new History();
let answeredAt = new Date();

const chosenType = () => byId("entity-type").value;
const chosenSpan = () => Number(byId("span").value);

function offerTypes(types) {
  const selector = byId("entity-type");
  const offered = [...selector.options].slice(1).map((option) => option.value);
  if (offered.join() === types.join()) return;
  const chosen = selector.value;
  selector.replaceChildren(selector.options[0], ...types.map((type) => el("option", {value: type}, type)));
  selector.value = types.includes(chosen) ? chosen : "";
  byId("types").replaceChildren(...types.filter((type) => type !== "other").map((type) => el("option", {value: type})));
}

async function poll() {
  const type = chosenType();
  const askedAt = performance.now();
  const [stats, news] = await Promise.all([ask("v1/cache/stats"), ask(history.pathFor(type))]);
  answeredAt = new Date();
  history.add(news, {type, askedAt});
  offerTypes(Object.keys(stats.requests.entity_types));
  showSituation(stats.situation);
  if (history.columns) {
    showTiles(stats, history.columns, type);
    charts.show(history.columns, chosenSpan(), type);
  }
  showTypes(stats);
  byId("filtered").textContent = type ? `Hit ratio, reads by outcome, early refreshes and audit are of type ${type} only.` : "";
  byId("covers").textContent = `Covers ${stats.covers.replaceAll("`", "")}.`;
}

function failed(error) {
  if (error instanceof Disconnected) showDisconnected(answeredAt, error.message);
  else showFailed(error.message);
}

keepTheme(byId("theme"), () => charts.repaint());
const askNow = keepPolling(EVERY_MS, poll, failed);
keepAccessForm(askNow);
byId("entity-type").addEventListener("change", askNow);
byId("span").addEventListener("change", askNow);
const jobsChanged = keepTables();
keepKeyForm({jobsChanged});
keepPurgeForm({jobsChanged});
keepWarmForm({jobsChanged});
