// Makes elements. Text is only ever text: nothing that the service says can become markup.

/** `el("td", {class: "number"}, "12")`. Handlers are given as functions: `{onclick: …}`. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(attribute.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(attribute, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A table with a heading per column, or the sentence `empty`. A column: `[heading, cell of a row, class?]`. */
export function table(columns, rows, empty) {
  if (!rows.length) return el("p", {class: "dim"}, empty);
  const head = el("tr", {}, ...columns.map(([heading, , kind]) => el("th", {scope: "col", class: kind}, heading)));
  const body = rows.map((row) => el("tr", {}, ...columns.map(([, cell, kind]) => el("td", {class: kind}, cell(row) ?? "–"))));
  return el("div", {class: "wide"}, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

/** Names and values side by side, under a title; what is null is left out. */
export function facts(title, entries) {
  const told = entries.filter(([, value]) => value !== null && value !== undefined);
  const list = el("dl", {}, ...told.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  return el("div", {}, el("h3", {}, title), list);
}

const SIGNS = {ok: "✓", note: "i", warning: "!", trouble: "✕", unknown: "…"};

/** Levels are told by a sign, not by their colour alone. */
export const sign = (level) => el("span", {class: `sign ${level}`, "aria-hidden": "true"}, SIGNS[level] ?? "");
