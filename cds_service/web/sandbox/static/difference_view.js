// Draws how the answer differs from the one it is compared with.

import { compare, isSame } from "./compare.js";
import { el, fill } from "./element.js";
import { opened } from "./names.js";

/** @typedef {import("./names.js").Names} Names */

const CANDIDATES = new Set(["likely", "possible"]);

/**
 * Draw what moved, or nothing where there is nothing to compare with.
 * @param {HTMLElement} place
 * @param {any} before
 * @param {any} after
 * @param {Names} names
 * @param {{against: "before"|"record", onAgainst: (against: "before"|"record") => void, isOpen: boolean, onOpen: (isOpen: boolean) => void}} choice
 */
export function drawDifference(place, before, after, names, choice) {
  if (before === null || after === null) {
    fill(place);
    return;
  }
  const difference = compare(before, after);
  const rows = isSame(difference) ? [] : [el("ul", { class: "moves" }, lines(difference, names))];
  const box = el("details", { class: "difference", open: choice.isOpen }, el("summary", {}, el("h3", {}, "What moved"), ` ${inBrief(difference)}`), picker(choice), rows);
  box.addEventListener("toggle", () => choice.onOpen(box.open));
  fill(place, box);
}

/** @param {import("./compare.js").Difference} difference */
function inBrief(difference) {
  const count = (number, one, many) => (number === 0 ? "" : `${number} ${number === 1 ? one : many}`);
  const parts = [
    count(difference.newFlags.length, "new red flag", "new red flags"),
    count(difference.goneFlags.length, "red flag gone", "red flags gone"),
    count(difference.moves.filter(concernsCandidate).length, "candidate", "candidates"),
  ].filter(Boolean);
  if (parts.length > 0) return parts.join(", ");
  return isSame(difference) ? "nothing" : "no candidate";
}

/** @param {any} choice */
function picker(choice) {
  const options = [
    ["before", "the answer before"],
    ["record", "the record as it was"],
  ];
  const select = el(
    "select",
    { on: { change: (event) => choice.onAgainst(event.target.value) } },
    options.map(([value, words]) => el("option", { value, selected: value === choice.against }, words)),
  );
  return el("label", { class: "inline" }, "compared with ", select);
}

/** @param {import("./compare.js").Difference} difference @param {Names} names */
function lines(difference, names) {
  const main = difference.moves.filter(concernsCandidate);
  const rest = difference.moves.filter((move) => !concernsCandidate(move));
  const flag = (id) => names.of("red_flags", id);
  return [
    difference.newFlags.map((id) => line("up critical", "New red flag", flag(id))),
    difference.goneFlags.map((id) => line("gone", "Red flag gone", flag(id))),
    main.map((move) => moveLine(move, names)),
    orderLine("Now suggested", difference.newOrders, names),
    orderLine("No longer suggested", difference.goneOrders, names),
    rest.length > 0 && el("li", {}, el("details", { class: "rest" }, el("summary", {}, `Causes that were and are no candidate: ${rest.length} moved`), el("ul", {}, rest.map((move) => moveLine(move, names))))),
  ];
}

/** @param {string} kind @param {string} label @param {string} text */
function line(kind, label, text) {
  return el("li", { class: `move ${kind}` }, el("strong", {}, label), " ", text);
}

/** @param {string} label @param {string[]} orders @param {Names} names */
function orderLine(label, orders, names) {
  return orders.length > 0 && line("order", label, orders.map((id) => names.of("orders", id)).join(", "));
}

/** Whether a cause was or is likely or possible. @param {import("./compare.js").Move} move */
function concernsCandidate({ before, after }) {
  return CANDIDATES.has(before?.standing ?? "") || CANDIDATES.has(after?.standing ?? "");
}

/** @param {import("./compare.js").Place|null} place */
function placeWords(place) {
  return place === null ? "not ranked" : `${opened(place.standing)}, ${ordinal(place.rank)}`;
}

/** @param {import("./compare.js").Move} move @param {Names} names */
function moveLine(move, names) {
  const { before, after } = move;
  return el(
    "li",
    { class: `move ${direction(before, after)}` },
    el("strong", {}, names.of("causes", move.cause)),
    " ",
    el("span", { class: "was" }, el("span", { class: "visually-hidden" }, "was "), placeWords(before)),
    el("span", { "aria-hidden": "true" }, " → "),
    el("span", { class: "is" }, el("span", { class: "visually-hidden" }, "is now "), placeWords(after)),
  );
}

/** @param {import("./compare.js").Place|null} before @param {import("./compare.js").Place|null} after */
function direction(before, after) {
  if (after === null) return "gone";
  if (before === null || after.rank < before.rank) return "up";
  return after.rank > before.rank ? "down" : "same";
}

/** @param {number} rank */
function ordinal(rank) {
  const ending = { one: "st", two: "nd", few: "rd", other: "th" };
  return `${rank}${ending[new Intl.PluralRules("en", { type: "ordinal" }).select(rank)]}`;
}
