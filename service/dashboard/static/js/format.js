// Numbers as people read them: with units, three digits, and times relative to now.

const plain = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const DASH = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

export const count = (value) => (known(value) ? plain.format(value) : DASH);

/** 0.35, 12.3, 1,234, 56.7 k */
export function figure(value) {
  if (!known(value)) return DASH;
  if (value >= 1e6) return `${trimmed(digits(value / 1e6))} M`;
  if (value >= 1e4) return `${trimmed(digits(value / 1e3))} k`;
  return value >= 100 ? plain.format(value) : trimmed(digits(value));
}

export const rate = (value) => (known(value) ? `${figure(value)}/s` : DASH);

export const percent = (ratio) => (known(ratio) ? `${trimmed((100 * ratio).toFixed(ratio > 0.99 && ratio < 1 ? 2 : 1))} %` : DASH);

/** A duration in the unit that fits: 350 µs, 1.2 ms, 12 s, 3 min 5 s, 2 h 10 min, 4 d 3 h. */
export function seconds(value) {
  if (!known(value)) return DASH;
  if (value === 0) return "0 s";
  if (value < 0.001) return `${trimmed((value * 1e6).toFixed(0))} µs`;
  if (value < 1) return `${trimmed(digits(value * 1e3))} ms`;
  if (value < 120) return `${value < 10 ? trimmed(value.toFixed(1)) : value.toFixed(0)} s`;
  for (const [unit, name, smaller, its] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (value < 2 * unit && unit > 60) continue;
    const rest = Math.floor((value % unit) / smaller);
    return `${Math.floor(value / unit)} ${name}${rest ? ` ${rest} ${its}` : ""}`;
  }
  return DASH;
}

export function bytes(value) {
  if (!known(value)) return DASH;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  let scaled = value;
  for (; scaled >= 1024 && place < units.length - 1; place += 1) scaled /= 1024;
  return `${place ? trimmed(digits(scaled)) : scaled} ${units[place]}`;
}

/** "12 s ago", with the moment itself to point at. */
export function ago(moment, now = Date.now()) {
  if (!moment) return DASH;
  const past = (now - Date.parse(moment)) / 1000;
  const text = Math.abs(past) < 1 ? "just now" : past > 0 ? `${seconds(past)} ago` : `in ${seconds(-past)}`;
  const element = document.createElement("time");
  element.dateTime = moment;
  element.title = new Date(moment).toLocaleString();
  element.textContent = text;
  return element;
}

export const clock = (date) => date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
