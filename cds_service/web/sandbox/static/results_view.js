// Draws measurements as a table of the latest values, each with its course; values are shown as the record has them.

import { digits, typedNumber } from "./digits.js";
import { el } from "./element.js";
import { conceptText, dateOf, dateText, firstCode, list, newestFirst, quantityText, rangeOf, rangeText, referenceTo, unitText, valueText } from "./fhir.js";
import { trend } from "./trend.js";

const SHOWN_FIRST = 40;
const FLAGS = { L: "low", LL: "critically low", "<": "below range", H: "high", HH: "critically high", ">": "above range", A: "abnormal", AA: "critically abnormal" };

/**
 * @typedef {object} Editing
 * @property {boolean} isOn
 * @property {(observation: any, changed: any) => void} onValue
 * @property {(observation: any) => boolean} isSupposed
 * @property {Set<string>} courses names of the tests whose course is open
 */

/**
 * Return a table of measurements, the newest result of each with its course.
 * @param {any[]} observations
 * @param {Record<string, any>} ranges default ranges by LOINC code
 * @param {Editing} editing
 */
export function resultsTable(observations, ranges, editing) {
  const groups = grouped(observations);
  const body = el("tbody", {}, groups.slice(0, SHOWN_FIRST).flatMap((group) => rows(group, ranges, editing)));
  const head = ["Test", "Result", "Range", "Date"].map((name) => el("th", { scope: "col" }, name));
  const drawn = el("table", { class: "results" }, el("thead", {}, el("tr", {}, head)), body);
  const rest = groups.slice(SHOWN_FIRST);
  if (rest.length === 0) return drawn;
  const more = el("button", { type: "button", class: "button small", on: { click: () => showRest() } }, `Show ${rest.length} more`);
  const showRest = () => {
    body.append(...rest.flatMap((group) => rows(group, ranges, editing)));
    more.remove();
  };
  return [drawn, more];
}

/** Return the results of each test, newest first, in the order in which the tests first stand. @param {any[]} observations @returns {any[][]} */
function grouped(observations) {
  const groups = new Map();
  for (const one of observations) {
    const key = `${firstCode(one.code) || conceptText(one.code).toLowerCase()}|${one.valueQuantity?.unit ?? ""}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(one);
  }
  for (const group of groups.values()) group.sort(newestFirst);
  return [...groups.values()];
}

/** @param {any[]} group @param {Record<string, any>} ranges @param {Editing} editing */
function rows(group, ranges, editing) {
  const [latest] = group;
  const name = conceptText(latest.code) || "Without a name";
  const isCurve = group.some((one) => typeof pointValue(one) === "number");
  const band = bandOf(latest, ranges);
  const course = el("tr", { class: "course", hidden: true }, el("td", { colspan: 4 }));
  const row = el(
    "tr",
    { class: latest.status === "entered-in-error" ? "in-error" : null, dataset: { references: group.map(referenceTo).join(" ") } },
    el("th", { scope: "row" }, isCurve ? opener(name, group, band, course, editing) : el("span", { class: "as-recorded" }, name)),
    el("td", { class: latest.valueQuantity ? "value quantity" : "value" }, editing.isOn && isEditable(latest) ? valueInput(latest, name, editing) : valueCell(latest), editing.isSupposed(latest) && el("span", { class: "tag supposed" }, "what if")),
    el("td", { class: "muted range" }, band ? [band.text, band.isDefault && el("small", { title: "No range came with the result: this service's default for adults" }, "adult default")] : ""),
    el("td", { class: "date" }, editing.isOn && isEditable(latest) ? dateInput(latest, name, editing) : dateText(dateOf(latest)), group.length > 1 && el("small", {}, `${group.length} results`)),
  );
  return [row, course];
}

/** @param {any} observation */
function valueCell(observation) {
  const code = firstCode(list(observation.interpretation)[0]);
  const words = FLAGS[code];
  return [
    el("span", { class: `as-recorded${words ? " abnormal" : ""}` }, valueText(observation)),
    words && el("span", { class: "flag-mark", title: `Marked ${words} by the laboratory` }, ` ${words}`),
    observation.status === "entered-in-error" && el("span", { class: "tag" }, "entered in error"),
  ];
}

/** @param {string} name @param {any[]} group @param {any} band @param {HTMLElement} course @param {Editing} editing */
function opener(name, group, band, course, editing) {
  const show = () => {
    const isOpen = editing.courses.has(name);
    course.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && !course.firstChild.hasChildNodes()) course.firstChild.append(trend(name, unitText(unitOf(group[0])), points(group, editing), band));
  };
  const toggle = () => {
    if (!editing.courses.delete(name)) editing.courses.add(name);
    show();
  };
  const button = el("button", { type: "button", class: "opener", "aria-label": `Course of ${name}`, on: { click: toggle } }, el("span", { class: "as-recorded" }, name));
  show();
  return button;
}

/** @param {any[]} group @param {Editing} editing */
function points(group, editing) {
  const unit = unitOf(group[0]);
  return group
    .filter((one) => typeof pointValue(one) === "number" && dateOf(one) && unitOf(one) === unit && one.status !== "entered-in-error")
    .map((one) => ({ date: dateOf(one), value: pointValue(one), written: `${one.valueQuantity.comparator ?? ""}${digits(one.valueQuantity.value)}`, reference: referenceTo(one), isSupposed: editing.isSupposed(one) }))
    .reverse();
}

/** @param {any} observation */
const unitOf = (observation) => observation.valueQuantity?.unit ?? observation.valueQuantity?.code ?? "";

/** @param {any} observation */
function pointValue(observation) {
  const value = observation.valueQuantity?.value;
  return value === undefined || value === null ? null : Number(digits(value));
}

/** Return the laboratory's range, else the service's default in the same unit. @param {any} observation @param {Record<string, any>} ranges */
function bandOf(observation, ranges) {
  const own = rangeOf(observation);
  if (own !== null) return { ...own, isDefault: false };
  const known = list(observation.code?.coding).map((coding) => ranges[coding?.code]).find(Boolean);
  const quantity = observation.valueQuantity ?? {};
  if (!known || ![quantity.code, quantity.unit].includes(known.unit)) return null;
  const [low, high] = [known.low ?? null, known.high ?? null];
  return { low, high, text: rangeText(low, high), isDefault: true };
}

/** @param {any} observation */
const isEditable = (observation) => Boolean(observation.valueQuantity) || typeof observation.valueString === "string";

/** @param {any} observation @param {string} name @param {Editing} editing */
function valueInput(observation, name, editing) {
  const quantity = observation.valueQuantity;
  const written = quantity ? digits(quantity.value) : observation.valueString;
  const change = (event) => {
    const input = event.target;
    const number = quantity ? typedNumber(input.value) : input.value.trim();
    input.setCustomValidity(number === null || number === "" ? "Write a number, such as 2.4." : "");
    if (input.reportValidity()) editing.onValue(observation, withValue(observation, number));
  };
  return [
    el("input", { type: "text", class: quantity ? "narrow" : "", inputmode: quantity ? "decimal" : "text", value: written, "aria-label": `Value of ${name}`, on: { change } }),
    quantity && el("span", { class: "muted" }, ` ${unitText(unitOf(observation))}`),
  ];
}

/** @param {any} observation @param {string} name @param {Editing} editing */
function dateInput(observation, name, editing) {
  const change = (event) => {
    if (event.target.value) editing.onValue(observation, { ...observation, effectiveDateTime: event.target.value });
  };
  return [el("input", { type: "date", value: dateOf(observation).slice(0, 10), "aria-label": `Date of ${name}`, on: { change } }), el("small", {}, dateText(dateOf(observation)))];
}

/** Return a result with another value; flag and comparator were given to the old value and go with it. @param {any} observation @param {any} value */
function withValue(observation, value) {
  const { interpretation: _flag, ...kept } = observation;
  if (!observation.valueQuantity) return { ...kept, valueString: value };
  const { comparator: _sign, ...quantity } = observation.valueQuantity;
  return { ...kept, valueQuantity: { ...quantity, value } };
}

/** Return what is told of a changed result. @param {any} before @param {any} after */
export function changeText(before, after) {
  const said = (one) => `${one.valueQuantity ? quantityText(one.valueQuantity) : one.valueString}, ${dateText(dateOf(one))}`;
  return `${conceptText(after.code)}: ${said(before)} → ${said(after)}`;
}
