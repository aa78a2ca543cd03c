// Plots one measurement over time with its reference band, and says the same in a table; it judges no value.

import { digits } from "./digits.js";
import { el } from "./element.js";
import { dateText } from "./fhir.js";

const HEIGHT = 150;
const MARGIN = 0.15;
const DAY_S = 86_400;
const LONG_DAYS = 150;

/**
 * @typedef {{date: string, value: number, written: string, reference: string, isSupposed: boolean}} Point
 * @typedef {{low: any, high: any, text: string, isDefault: boolean}|null} Band
 */

/**
 * Return a figure with the plot and its table. The plot is drawn once the figure stands on the page.
 * @param {string} name
 * @param {string} unit
 * @param {Point[]} points oldest first
 * @param {Band} band
 */
export function trend(name, unit, points, band) {
  const said = `${name}: ${points.length} ${points.length === 1 ? "result" : "results"}, latest ${points.at(-1)?.written} ${unit}`;
  const plot = el("div", { class: "plot", role: "img", "aria-label": `${said}. The values stand in the table below.` });
  const rows = [...points].reverse().map((point) => row(point, unit));
  const figure = el(
    "figure",
    { class: "trend" },
    plot,
    el("figcaption", { class: "muted small-text" }, caption(unit, band)),
    el("table", { class: "values" }, el("caption", { class: "visually-hidden" }, `Values of ${name}`), el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Date"), el("th", { scope: "col" }, "Value"))), el("tbody", {}, rows)),
  );
  drawWhenSeen(plot, unit, points, band);
  return figure;
}

/** @param {Point} point @param {string} unit */
function row(point, unit) {
  return el(
    "tr",
    { dataset: { references: point.reference } },
    el("td", {}, dateText(point.date)),
    el("td", {}, `${point.written} ${unit}`, point.isSupposed && el("span", { class: "tag supposed" }, "what if")),
  );
}

/** @param {string} unit @param {Band} band */
function caption(unit, band) {
  if (band === null) return `In ${unit || "no unit"}; no reference range with the result.`;
  const whose = band.isDefault ? "this service's default for adults, none came with the result" : "of the laboratory";
  return `In ${unit}; the band is the reference range ${band.text} (${whose}).`;
}

/** @param {HTMLElement} plot @param {string} unit @param {Point[]} points @param {Band} band */
function drawWhenSeen(plot, unit, points, band) {
  let chart = null;
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => {
    chart?.destroy();
    chart = plot.clientWidth > 0 ? draw(plot, unit, points, band) : null;
  };
  new ResizeObserver(() => (chart === null ? redraw() : chart.setSize({ width: plot.clientWidth, height: HEIGHT }))).observe(plot);
  scheme.addEventListener("change", () => plot.isConnected && redraw());
}

/** @param {HTMLElement} plot @param {string} unit @param {Point[]} points @param {Band} band */
function draw(plot, unit, points, band) {
  const style = getComputedStyle(plot);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, font: `11px ${style.fontFamily}` };
  const uPlot = globalThis.uPlot;
  const options = {
    width: plot.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { x: { range: () => days(points) }, y: { range: () => span(points, band) } },
    axes: [{ ...axis, size: 30, space: 70, values: (_plot, times) => dayNames(times) }, { ...axis, size: 42, space: 20, label: unit, labelSize: 18, labelFont: axis.font }],
    series: [{}, { stroke: color("--accent"), width: 2, points: { show: true, size: 8, fill: color("--surface"), stroke: color("--accent"), width: 2 } }],
    hooks: { drawClear: [(drawn) => paintBand(drawn, band, color("--band"))] },
  };
  return new uPlot(options, [points.map((point) => seconds(point.date)), points.map((point) => point.value)], plot);
}

/** Return days for a span of weeks, else months with their year. @param {number[]} times in seconds */
function dayNames(times) {
  const isShort = times[times.length - 1] - times[0] < LONG_DAYS * DAY_S;
  return times.map((time) => {
    const day = new Date(time * 1000).toISOString().slice(0, 10);
    return isShort ? dateText(day).slice(0, -5) : dateText(day.slice(0, 7));
  });
}

/** @param {string} date */
const seconds = (date) => Date.parse(date.length === 4 ? `${date}-01-01` : date) / 1000;

/** Return the time that is shown; no point stands on the edge, and one alone stands in the middle. @param {Point[]} points @returns {[number, number]} */
function days(points) {
  const [low, high] = [seconds(points[0].date), seconds(points[points.length - 1].date)];
  const room = Math.max((high - low) * 0.06, DAY_S * 5);
  return [low - room, high + room];
}

/** @param {Point[]} points @param {Band} band @returns {[number, number]} */
function span(points, band) {
  const limits = [band?.low, band?.high].filter((one) => one !== null && one !== undefined).map((one) => Number(digits(one)));
  const values = [...points.map((point) => point.value), ...limits];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(high) || 1) * MARGIN;
  return [low - room, high + room];
}

/** @param {any} drawn @param {Band} band @param {string} color */
function paintBand(drawn, band, color) {
  if (band === null) return;
  const { ctx, bbox } = drawn;
  const at = (limit, otherwise) => (limit === null || limit === undefined ? otherwise : drawn.valToPos(Number(digits(limit)), "y", true));
  const top = Math.max(at(band.high, bbox.top), bbox.top);
  const bottom = Math.min(at(band.low, bbox.top + bbox.height), bbox.top + bbox.height);
  ctx.save();
  ctx.fillStyle = color;
  ctx.fillRect(bbox.left, top, bbox.width, Math.max(bottom - top, 0));
  ctx.restore();
}
