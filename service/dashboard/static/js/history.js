// The last quarter of an hour, put together of what the service answers: all of it at first, then only what is new.

const LONGEST_SECONDS = 900;
const OVERLAP_SECONDS = 10;

/** Apply `change` to every column of either, wherever in the nested answers it stands; [] stands for one that is not there. */
function mapColumns(late, early, change) {
  if (Array.isArray(late) || Array.isArray(early)) return change(late ?? [], early ?? []);
  if (late === null || typeof (late ?? early) !== "object") return late;
  const names = new Set([...Object.keys(late ?? {}), ...Object.keys(early ?? {})]);
  return Object.fromEntries([...names].map((name) => [name, mapColumns(late?.[name], early?.[name], change)]));
}

/** A series that was not there for some steps, before it began or after it ended, has nothing to say of them. */
const orNulls = (column, length) => (column.length === length ? column : Array(length).fill(null));

/** Columns of `known` up to where those of `news` begin, and then these; a gap in time becomes a gap in the lines. */
export function merged(known, news) {
  if (!known || !news.times.length) return known ?? news;
  const kept = known.times.filter((time) => time < news.times[0]).length;
  const isGap = kept > 0 && news.times[0] - known.times[kept - 1] > 3 * news.step_seconds;
  const oldest = news.times.at(-1) - LONGEST_SECONDS;
  const skipped = known.times.findIndex((time) => time > oldest);
  const from = skipped < 0 ? kept : Math.min(skipped, kept);
  const whole = mapColumns(news, known, (late, early) => {
    const before = orNulls(early, known.times.length).slice(from, kept);
    return [...before, ...(isGap && kept > from ? [null] : []), ...orNulls(late, news.times.length)];
  });
  if (isGap && kept > from) whole.times[kept - from] = known.times[kept - 1] + news.step_seconds;
  return whole;
}

export class History {
  #known = null;
  #askedAt = -Infinity;
  #type = "";

  get columns() {
    return this.#known;
  }

  /** Where to ask for what is still missing, of `type` (all where it is empty). */
  pathFor(type) {
    if (type !== this.#type) {
      this.#known = null;
      this.#type = type;
    }
    const missing = this.#known ? (performance.now() - this.#askedAt) / 1000 + OVERLAP_SECONDS : LONGEST_SECONDS;
    const query = new URLSearchParams({seconds: Math.min(LONGEST_SECONDS, Math.ceil(missing))});
    if (type) query.set("entity_type", type);
    return `v1/cache/history?${query}`;
  }

  /** Take an answer to a question that was asked at `askedAt`, about `type`. */
  add(news, {type, askedAt}) {
    if (type !== this.#type) return; // the reader has chosen another one meanwhile
    this.#known = merged(this.#known, news);
    this.#askedAt = askedAt;
  }
}
