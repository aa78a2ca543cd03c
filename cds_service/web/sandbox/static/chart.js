// Holds one patient's chart in memory, as an EHR's store would, with every change made to it; it stores nothing elsewhere.

import { categories, list, newestFirst, referenceTo, subjectId } from "./fhir.js";

const PATIENT_TOKEN = "{{context.patientId}}";
const IGNORED = new Set(["_count", "_sort", "patient"]);
/** Kinds that the service reads under any key though it does not ask for them by itself. */
const BESIDES = { allergies: "AllergyIntolerance", devices: "Device" };

/** Return every resource of a Bundle (of Bundles), of a bare list, or the resource itself. @param {any} value @returns {any[]} */
export function resourcesOf(value) {
  if (value?.resourceType !== "Bundle") {
    if (typeof value?.resourceType === "string") return [value];
    return Object.values(value ?? {}).flatMap((part) =>
      Array.isArray(part) ? part.filter((one) => typeof one?.resourceType === "string") : [],
    );
  }
  return list(value.entry).flatMap((entry) => {
    const inner = entry?.resource ? resourcesOf(entry.resource) : [];
    if (inner.length === 1 && !inner[0].id && typeof entry.fullUrl === "string") {
      inner[0].id = entry.fullUrl.replace(/^urn:uuid:/, "").split("/").at(-1);
    }
    return inner;
  });
}

/** Return the ids of the patients that resources are about, those with a Patient resource first. @param {any[]} resources @returns {string[]} */
export function patientsIn(resources) {
  const own = resources.filter((one) => one.resourceType === "Patient" && one.id).map((one) => one.id);
  const named = resources.map(subjectId).filter((id) => id !== null);
  return [...new Set([...own, ...named])];
}

export class Chart {
  /**
   * @param {any[]} resources
   * @param {string} patientId
   * @param {{encounterId?: string, fhirServer?: string, accessToken?: string, unread?: string[]}} [origin]
   */
  constructor(resources, patientId, origin = {}) {
    this.patientId = patientId;
    this.encounterId = origin.encounterId ?? null;
    this.fhirServer = origin.fhirServer ?? null;
    this.accessToken = origin.accessToken ?? null;
    this.unread = new Set(origin.unread ?? []);
    /** @type {any[]} */
    this.resources = unique(resources).filter((one) => [patientId, null].includes(subjectId(one)) && isOwn(one, patientId));
    this.asFound = this.resources;
    /** What is supposed, by reference, in words. @type {Map<string, string>} */
    this.changes = new Map();
    this.made = 0;
  }

  /** @returns {any} */
  get patient() {
    return this.resources.find((one) => one.resourceType === "Patient") ?? null;
  }

  /** @param {...string} types @returns {any[]} */
  of(...types) {
    return this.resources.filter((one) => types.includes(one.resourceType));
  }

  /** @param {string} reference @returns {any} */
  find(reference) {
    return this.resources.find((one) => referenceTo(one) === reference);
  }

  /** Return an id that no resource of the chart has. @param {string} kind @returns {string} */
  freshId(kind) {
    this.made += 1;
    return `sandbox-${kind}-${this.made}`;
  }

  /** Enter something in the record: a problem, an order, answers. Taking changes back leaves it alone. @param {any} resource */
  enter(resource) {
    this.resources = withResource(this.resources, resource);
    this.asFound = withResource(this.asFound, resource);
  }

  /** Take something out of the record that was entered here. @param {any} resource */
  withdraw(resource) {
    this.resources = this.resources.filter((one) => one !== resource);
    this.asFound = this.asFound.filter((one) => one !== resource);
  }

  /** Suppose that a resource were so. @param {any} resource @param {string} text what is told of the change */
  suppose(resource, text) {
    this.resources = withResource(this.resources, resource);
    this.changes.set(referenceTo(resource), text);
  }

  /** Suppose that a resource were not there. @param {any} resource @param {string} text what is told of the change */
  supposeWithout(resource, text) {
    this.resources = this.resources.filter((one) => one !== resource);
    const reference = referenceTo(resource);
    if (this.asFound.some((one) => referenceTo(one) === reference)) this.changes.set(reference, text);
    else this.changes.delete(reference);
  }

  /** Return a resource as it was before any change. @param {any} resource @returns {any} */
  original(resource) {
    const reference = referenceTo(resource);
    return reference ? this.asFound.find((one) => referenceTo(one) === reference) : undefined;
  }

  /** Take back every change that was supposed. */
  undo() {
    this.resources = this.asFound;
    this.changes.clear();
  }

  /**
   * Answer the service's prefetch templates, as a FHIR server would.
   * @param {Record<string, string>} templates
   * @returns {Record<string, any>}
   */
  prefetch(templates) {
    const keys = Object.keys(templates).filter((key) => !this.unread.has(key));
    const asked = keys.map((key) => [key, this.#answer(templates[key].replaceAll(PATIENT_TOKEN, this.patientId))]);
    const besides = Object.entries(BESIDES)
      .map(([key, type]) => [key, this.of(type)])
      .filter(([, found]) => found.length > 0)
      .map(([key, found]) => [key, searchset(/** @type {any[]} */ (found))]);
    return Object.fromEntries([...asked, ...besides]);
  }

  /** @param {string} query */
  #answer(query) {
    const [path, parameters] = query.split("?");
    const [type, id] = path.split("/");
    if (id) return this.resources.find((one) => one.resourceType === type && one.id === id) ?? null;
    const wanted = [...new URLSearchParams(parameters)].filter(([name]) => !IGNORED.has(name));
    const matches = this.of(type).filter((one) => wanted.every(([name, value]) => fits(one, name, value)));
    if (/[?&]_sort=-/.test(query)) matches.sort(newestFirst);
    return searchset(type === "MedicationRequest" ? [...matches, ...this.of("Medication")] : matches);
  }
}

/** Return a list with a resource in the place of the one with its reference, or at its end. @param {any[]} resources @param {any} resource */
function withResource(resources, resource) {
  const reference = referenceTo(resource);
  const at = resources.findIndex((one) => reference !== "" && referenceTo(one) === reference);
  return at < 0 ? [...resources, resource] : resources.map((one, place) => (place === at ? resource : one));
}

/** @param {any[]} found */
function searchset(found) {
  return { resourceType: "Bundle", type: "searchset", total: found.length, entry: found.map((resource) => ({ resource })) };
}

/** @param {any} resource @param {string} name @param {string} value @returns {boolean} */
function fits(resource, name, value) {
  if (name === "status") return resource.status === undefined || resource.status === value;
  if (name !== "category") return true;
  const found = categories(resource);
  return found.includes(value) || (value === "laboratory" && found.length === 0);
}

/** @param {any} resource @param {string} patientId */
function isOwn(resource, patientId) {
  return resource.resourceType !== "Patient" || resource.id === patientId;
}

/** @param {any[]} resources @returns {any[]} each reference once; the last one wins */
function unique(resources) {
  const seen = new Map();
  resources.forEach((one, place) => seen.set(referenceTo(one) || place, one));
  return [...seen.values()];
}
