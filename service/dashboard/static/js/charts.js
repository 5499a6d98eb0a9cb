// Draws the charts with uPlot: one time axis for all, one crosshair through all, the newest values where nobody points.

import {CHARTS} from "./chart_list.js";
import {byId, el} from "./dom.js";
import * as format from "./format.js";
import {colour} from "./theme_button.js";

const HEIGHT = 170;
const SHORTEST_SECONDS = 60;
const SYNC = "aside";
const DASHES = [[], [], [6, 3], [2, 3], [8, 3, 2, 3], [10, 4], [3, 6]];

const translucent = (shade) => shade.replace("rgb(", "rgba(").replace(")", ", 0.14)");

function axes(chart, colours) {
  const common = {stroke: colours.dim, grid: {stroke: colours.grid, width: 1}, ticks: {show: false}, font: "11px system-ui, sans-serif"};
  return [
    {...common, space: 70, size: 26, values: (_, times) => times.map((time) => clockOf(time, times))},
    {...common, size: 62, space: 34, ...steps(chart), values: (_, values) => values.map((value) => chart.show(value))},
  ];
}

/** Round numbers at which an axis may be marked: of bytes, of decades, or as uPlot likes. */
function steps(chart) {
  if (chart.isBinary) return {incrs: Array.from({length: 45}, (_, power) => 2 ** power)};
  if (!chart.isLog) return {};
  return {filter: (_, splits) => splits, splits: (_, axis, low, high) => {
    const first = Math.round(Math.log10(low));
    return Array.from({length: Math.round(Math.log10(high)) - first + 1}, (__, power) => 10 ** (first + power));
  }};
}

function clockOf(time, times) {
  const text = format.clock(new Date(time * 1000));
  return times.length > 1 && times[1] - times[0] < 60 ? text : text.slice(0, 5);
}

function rangeOf(chart) {
  if (chart.range) return () => chart.range;
  if (chart.isLog) return (_, low, high) => (low === null ? [0.0001, 0.1] : [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.01))]);
  return (_, low, high) => [0, high > 0 ? high * 1.12 : 1];
}

export class Charts {
  #plots = [];
  #window = [0, 1];

  constructor() {
    byId("charts").append(...CHARTS.map((chart) => {
      const empty = el("p", {class: "empty", hidden: true}, chart.empty ?? "");
      const plot = el("div", {class: "plot"}, empty);
      const note = el("span", {class: "dim"}, chart.note);
      const figure = el("figure", {class: "chart"}, el("figcaption", {}, chart.title, note), plot);
      this.#plots.push({chart, plot, empty, note, drawn: null});
      return figure;
    }));
    new ResizeObserver(() => this.#plots.forEach(({plot, drawn}) => drawn?.setSize({width: plot.clientWidth, height: HEIGHT})))
      .observe(byId("charts"));
  }

  /** Draw `history`, the last `span` seconds of it; `type` is the one it was filtered by. */
  show(history, span, type) {
    const last = history.times.at(-1) ?? Date.now() / 1000;
    // A young service fills the axis all the same.
    this.#window = [Math.max(last - span, Math.min(history.times[0] ?? last, last - SHORTEST_SECONDS)), last];
    for (const each of this.#plots) {
      const data = [history.times, ...each.chart.series.map((series) => padded(series.of(history), history.times.length))];
      each.drawn ??= this.#draw(each);
      each.drawn.setData(data);
      if (!(each.drawn.cursor.left >= 0)) each.drawn.setLegend({idx: history.times.length - 1});
      each.empty.hidden = !each.chart.empty || data.slice(1).some((column) => column.some((value) => value));
      each.note.textContent = type && !each.chart.byType ? `${each.chart.note}; all types` : each.chart.note;
    }
  }

  /** After the theme has changed: a canvas knows no variables. */
  repaint() {
    for (const each of this.#plots) {
      if (!each.drawn) continue;
      const {data} = each.drawn;
      each.drawn.destroy();
      each.drawn = this.#draw(each);
      each.drawn.setData(data);
    }
  }

  #draw({chart, plot}) {
    const colours = {dim: colour("--dim"), grid: colour("--grid"), panel: colour("--panel")};
    const series = chart.series.map(({label, place, fill}) => {
      const stroke = colour(`--series-${place}`);
      return {
        label, stroke, width: 1.75, dash: DASHES[place], spanGaps: false, points: {show: false},
        fill: fill ? translucent(stroke) : undefined, value: (_, value) => chart.show(value),
      };
    });
    return new window.uPlot({
      width: Math.max(200, plot.clientWidth), height: HEIGHT,
      cursor: {sync: {key: SYNC, scales: ["x", null]}, drag: {x: false, y: false}, y: false, points: {size: 6}},
      legend: {markers: {width: 2, dash: (u, i) => (DASHES[chart.series[i - 1].place].length ? "dashed" : "solid")}},
      scales: {x: {range: () => this.#window}, y: {range: rangeOf(chart), distr: chart.isLog ? 3 : 1}},
      axes: axes(chart, colours),
      series: [{label: "at", value: (_, time) => (time ? format.clock(new Date(time * 1000)) : "–")}, ...series],
    }, [[], ...chart.series.map(() => [])], plot);
  }
}

function padded(column, length) {
  return column.length === length ? column : Array.from({length}, (_, place) => column[place] ?? null);
}
