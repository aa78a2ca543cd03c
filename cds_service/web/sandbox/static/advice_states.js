// What stands in the place of cards where there are none: not asked yet, nothing to say, or no answer.

import { el } from "./element.js";

/** Nothing was recorded yet. @param {string} waiting the problem that stands in the form @param {() => void} onRecord */
export function notAsked(waiting, onRecord) {
  const button = waiting && el("button", { type: "button", class: "button primary", on: { click: onRecord } }, "Record ", el("span", { class: "as-recorded" }, `“${waiting}”`));
  return el("div", { class: "empty" }, el("h3", {}, "No advice yet"), el("p", {}, "Advice follows once a problem such as twitching, cramp or spasticity is recorded."), button);
}

/** The service answered without a card. */
export function nothingToSay() {
  return el(
    "div",
    { class: "empty" },
    el("h3", {}, "No card"),
    el("p", {}, "Evaluated, and nothing to say: this is not a muscle symptom that the service knows, or it is not active."),
  );
}

/** The service gave no advice. @param {string} reason @param {() => void} onAgain */
export function refused(reason, onAgain) {
  return el(
    "div",
    { class: "trouble" },
    el("h3", {}, "The service gave no advice"),
    el("p", {}, reason),
    el("p", {}, "No conclusion about the patient can be drawn from this."),
    el("p", { class: "actions" }, el("button", { type: "button", class: "button", on: { click: onAgain } }, "Ask again")),
  );
}
