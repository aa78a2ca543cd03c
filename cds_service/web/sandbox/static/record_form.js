// The form that records a problem: searches the terms that the service knows, or takes the clinician's own words.

import { byId, el, fill } from "./element.js";
import { dateText } from "./fhir.js";

const MOST_SHOWN = 8;

/** @typedef {{name: string, system: string, code: string, display: string}} Term */

/**
 * @param {{presentations: {id: string, title: string, codings: Term[]}[]}} words
 * @param {(condition: any) => void} onRecord is given the code and the onset of the new Condition
 * @returns {{suggest: (text: string, condition: any) => void, waiting: () => string}} `waiting` is what stands in the field
 */
export function recordForm(words, onRecord) {
  const terms = words.presentations.flatMap((one) => one.codings.map((coding) => ({ ...coding, group: one.title })));
  const [form, input, onset, matches] = [byId("record"), byId("problem"), byId("onset"), byId("problem-matches")];
  /** What was chosen or came with the story; it counts as long as its words stand in the field. @type {any} */
  let chosen = null;

  const choose = (text, condition) => {
    input.value = text;
    chosen = { text, condition };
    onset.value = condition.onsetDateTime?.slice(0, 10) ?? onset.value;
    sayOnset();
    matches.hidden = true;
    byId("problem-count").textContent = "";
  };
  const sayOnset = () => {
    byId("onset-words").textContent = dateText(onset.value) || "(optional)";
  };
  const option = (term) =>
    el("li", {}, el("button", { type: "button", on: { click: () => pick(term) } }, el("span", {}, term.name), el("span", { class: "muted small-text" }, ` ${term.group} · ${term.system.endsWith("sct") ? "SNOMED CT" : "ICD-10-CM"} ${term.code}`)));
  const pick = (term) => {
    choose(term.name, { code: { coding: [{ system: term.system, code: term.code, display: term.display }], text: term.name } });
    byId("record-button").focus();
  };
  const search = () => {
    const found = matching(terms, input.value);
    fill(matches, found.slice(0, MOST_SHOWN).map(option));
    matches.hidden = found.length === 0;
    byId("problem-count").textContent = input.value.trim() ? `${found.length} known problems match` : "";
  };
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") matches.hidden = true;
    if (event.key === "ArrowDown" && !matches.hidden) {
      event.preventDefault();
      matches.querySelector("button")?.focus();
    }
  });
  matches.addEventListener("keydown", (event) => moveInMatches(event, matches, input));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.setCustomValidity(text ? "" : "Say what is recorded, such as twitching.");
    if (!input.reportValidity()) return;
    matches.hidden = true;
    const code = chosen?.text === text ? chosen.condition : { code: { text } };
    onRecord({ ...code, ...(onset.value ? { onsetDateTime: code.onsetDateTime?.startsWith(onset.value) ? code.onsetDateTime : onset.value } : {}) });
  });
  input.addEventListener("input", () => input.setCustomValidity(""));
  onset.addEventListener("change", () => sayOnset());
  return {
    suggest: (text, condition) => {
      onset.value = "";
      choose(text, condition);
    },
    waiting: () => input.value.trim(),
  };
}

/** Return the terms that hold every word that was typed. @param {any[]} terms @param {string} typed */
function matching(terms, typed) {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  return terms.filter((term) => wanted.every((word) => `${term.name} ${term.group} ${term.code}`.toLowerCase().includes(word)));
}

/** Move between the matches by the arrow keys. @param {KeyboardEvent} event @param {HTMLElement} matches @param {HTMLElement} input */
function moveInMatches(event, matches, input) {
  const buttons = [...matches.querySelectorAll("button")];
  const at = buttons.indexOf(/** @type {any} */ (document.activeElement));
  if (event.key === "Escape") {
    matches.hidden = true;
    input.focus();
  } else if (event.key === "ArrowDown") {
    event.preventDefault();
    buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
  } else if (event.key === "ArrowUp") {
    event.preventDefault();
    (at > 0 ? buttons[at - 1] : input).focus();
  }
}
