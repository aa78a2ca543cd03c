// Says FHIR elements as text; it judges nothing.

import { digits } from "./digits.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @param {any} value @returns {any[]} */
export function list(value) {
  return Array.isArray(value) ? value : value === null || value === undefined ? [] : [value];
}

/** Return the words of a CodeableConcept. @param {any} concept @returns {string} */
export function conceptText(concept) {
  const codings = list(concept?.coding);
  return concept?.text || codings.find((one) => one?.display)?.display || codings[0]?.code || "";
}

/** Return the first code of a CodeableConcept. @param {any} concept @returns {string} */
export function firstCode(concept) {
  return list(concept?.coding)[0]?.code ?? "";
}

/** A resource is never changed in place, so its categories are read once. @type {WeakMap<any, string[]>} */
const categoriesRead = new WeakMap();

/** Return every category code and text of a resource. @param {any} resource @returns {string[]} */
export function categories(resource) {
  const known = categoriesRead.get(resource);
  if (known !== undefined) return known;
  const found = list(resource.category).flatMap((concept) => [...list(concept?.coding).map((coding) => coding?.code), ...(concept?.text ? [concept.text] : [])]);
  categoriesRead.set(resource, found);
  return found;
}

/** Return `12 Jun 2026`, `Jun 2026` or `2026` for a FHIR date. @param {any} date @returns {string} */
export function dateText(date) {
  const found = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(typeof date === "string" ? date : "");
  if (!found) return "";
  const [, year, month, day] = found;
  const name = month ? MONTHS[Number(month) - 1] : "";
  return [day ? String(Number(day)) : "", name, year].filter(Boolean).join(" ");
}

/** Return `Type/id`, or nothing for a resource without id. @param {any} resource @returns {string} */
export function referenceTo(resource) {
  return resource.id ? `${resource.resourceType}/${resource.id}` : "";
}

/** Return the id that a subject points at. @param {any} resource @returns {string|null} */
export function subjectId(resource) {
  const reference = (resource.subject ?? resource.patient)?.reference;
  if (typeof reference !== "string" || resource.resourceType === "Patient") return null;
  if (!reference.includes("Patient") && !reference.startsWith("urn:uuid:")) return null;
  return reference.split("/_history/")[0].replace(/^urn:uuid:/, "").split("/").at(-1) ?? null;
}

/** Return when something was measured, asked or done. @param {any} resource @returns {string} */
export function dateOf(resource) {
  return (
    resource.effectiveDateTime ??
    resource.effectiveInstant ??
    resource.effectivePeriod?.start ??
    resource.authoredOn ??
    resource.authored ??
    resource.performedDateTime ??
    resource.onsetDateTime ??
    resource.recordedDate ??
    resource.dateAsserted ??
    resource.issued ??
    ""
  );
}

/** Order resources with the newest first; those of one moment keep their order. @param {any} one @param {any} other */
export function newestFirst(one, other) {
  const [first, second] = [dateOf(one), dateOf(other)];
  return first === second ? 0 : first < second ? 1 : -1;
}

/** UCUM is written for machines; these are the same units as a report prints them. @type {Record<string, string>} */
const PRINTED = { Cel: "°C", "[degF]": "°F", "umol/L": "µmol/L", "ug/L": "µg/L", "m[IU]/L": "mIU/L", "mL/min/1.73 m2": "mL/min/1.73 m²", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "mm[Hg]": "mmHg" };

/** Return a unit as it is printed; one that is not known stays as it is. @param {string} unit @returns {string} */
export const unitText = (unit) => PRINTED[unit] ?? unit;

/** @param {any} quantity @returns {string} */
export function quantityText(quantity) {
  if (quantity?.value === undefined || quantity.value === null) return "";
  return `${quantity.comparator ?? ""}${digits(quantity.value)} ${unitText(quantity.unit ?? quantity.code ?? "")}`.trim();
}

/** Return the value of an Observation, its components included. @param {any} observation @returns {string} */
export function valueText(observation) {
  if (observation.valueQuantity) return quantityText(observation.valueQuantity);
  if (observation.valueCodeableConcept) return conceptText(observation.valueCodeableConcept);
  if (typeof observation.valueString === "string") return observation.valueString;
  const parts = list(observation.component).map((part) => {
    const value = part.valueQuantity ? quantityText(part.valueQuantity) : conceptText(part.valueCodeableConcept);
    return `${conceptText(part.code)} ${value || part.valueString || ""}`.trim();
  });
  return parts.join(", ") || conceptText(observation.dataAbsentReason);
}

/** Return the reference range as the laboratory wrote it. @param {any} observation @returns {{low: any, high: any, text: string}|null} */
export function rangeOf(observation) {
  const range = list(observation.referenceRange)[0];
  if (!range) return null;
  const [low, high] = [range.low?.value ?? null, range.high?.value ?? null];
  return { low, high, text: range.text ?? rangeText(low, high) };
}

/** @param {any} low @param {any} high @returns {string} */
export function rangeText(low, high) {
  if (low !== null && high !== null) return `${digits(low)}–${digits(high)}`;
  if (low !== null) return `from ${digits(low)}`;
  return high === null ? "" : `up to ${digits(high)}`;
}

/** Return the words of a medicine. @param {any} resource @param {any[]} [contained] @returns {string} */
export function medicineText(resource, contained = []) {
  const words = conceptText(resource.medicationCodeableConcept ?? resource.medication?.concept);
  const reference = resource.medicationReference ?? resource.medication?.reference;
  if (words || !reference) return words || "Medicine without a name";
  const id = String(reference.reference ?? "").replace("#", "").split("/").at(-1);
  const found = [...list(resource.contained), ...contained].find((one) => one.id === id);
  return reference.display ?? conceptText(found?.code) ?? "Medicine without a name";
}
