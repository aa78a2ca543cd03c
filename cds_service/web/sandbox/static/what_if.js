// The small forms by which a condition or a medicine is supposed to be on record.

import { el } from "./element.js";
import { read } from "./service.js";

const KINDS = {
  condition: { label: "Add a condition", terms: "conditions", placeholder: "multiple sclerosis…" },
  medication: { label: "Add a medicine", terms: "medications", placeholder: "furosemide…" },
};

/** @type {any} */
let terms = null;

/** Return the terms, read when a form is first needed; null where they cannot be had: words are then taken as they are typed. */
async function knownTerms() {
  try {
    terms ??= await read("/sandbox/terms");
  } catch (error) {
    console.warn(error.message);
  }
  return terms;
}

/**
 * Return a form that supposes a condition or a medicine.
 * @param {"condition"|"medication"} kind
 * @param {(words: string, coding: any, since: string) => void} onAdd the coding is null for words of one's own, `since` may be empty
 */
export function adder(kind, onAdd) {
  const { label, placeholder, terms: name } = KINDS[kind];
  const options = el("datalist", { id: `terms-${kind}` });
  const input = el("input", { type: "text", list: options.id, placeholder, maxlength: 200, required: true });
  const since = el("input", { type: "date" });
  const form = el("form", { class: "adder", autocomplete: "off" }, el("label", { class: "field grow" }, el("span", {}, label), input), options, el("label", { class: "field" }, el("span", {}, "Since ", el("small", {}, "(optional)")), since), el("button", { class: "button small", "aria-label": label }, "Add"));
  let known = [];
  input.addEventListener(
    "focus",
    async () => {
      known = (await knownTerms())?.[name] ?? [];
      options.replaceChildren(...known.map((term) => el("option", { value: term.name })));
    },
    { once: true },
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = input.value.trim();
    const found = known.find((term) => term.name.toLowerCase() === words.toLowerCase());
    if (words) onAdd(words, found ? { system: found.system, code: found.code, display: found.display } : null, since.value);
  });
  return form;
}

/**
 * @typedef {object} Supposed
 * @property {string} id
 * @property {string} patientId
 * @property {string} words
 * @property {any} coding null for words of one's own
 * @property {string} since empty where nobody says
 * @property {string} today
 */

/** Return a Condition that is supposed. @param {Supposed} supposed */
export function supposedCondition({ id, patientId, words, coding, since, today }) {
  return {
    resourceType: "Condition",
    id,
    clinicalStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] },
    verificationStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-ver-status", code: "confirmed" }] },
    code: { ...(coding ? { coding: [coding] } : {}), text: words },
    subject: { reference: `Patient/${patientId}` },
    ...(since ? { onsetDateTime: since } : {}),
    recordedDate: today,
  };
}

/** Return a MedicationRequest that is supposed. @param {Supposed} supposed */
export function supposedMedication({ id, patientId, words, coding, since, today }) {
  return {
    resourceType: "MedicationRequest",
    id,
    status: "active",
    intent: "order",
    medicationCodeableConcept: { ...(coding ? { coding: [coding] } : {}), text: words },
    subject: { reference: `Patient/${patientId}` },
    authoredOn: since || today,
  };
}
