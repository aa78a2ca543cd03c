// Draws the patient's banner and the sections of the chart; text of the record is shown as text and nothing else.

import { el, fill } from "./element.js";
import { categories, conceptText, dateOf, dateText, firstCode, list, medicineText, referenceTo, valueText } from "./fhir.js";
import { resultsTable } from "./results_view.js";

/** @typedef {import("./chart.js").Chart} Chart */

const SHOWN_FIRST = 25;
const INACTIVE = new Set(["inactive", "resolved", "remission"]);
const NOT_SO = new Set(["refuted", "entered-in-error"]);
const SEXES = { female: "Woman", male: "Man" };
const ADULT = 18;

/** Draw who the patient is. @param {HTMLElement} place @param {Chart} chart @param {string} asOf @returns {string} the same in a few words */
export function drawBanner(place, chart, asOf) {
  const patient = chart.patient ?? {};
  const name = list(patient.name)[0] ?? {};
  const words = name.text || [...list(name.given), name.family].filter(Boolean).join(" ") || "Name not on record";
  const age = ageOn(patient.birthDate, asOf);
  const sex = (age !== null && age < ADULT ? { female: "Girl", male: "Boy" } : SEXES)[patient.gender] ?? "Sex not on record";
  const who = `${sex}${age === null ? "" : `, ${age} years`}`;
  const isTest = list(patient.meta?.tag).some((tag) => tag?.code === "HTEST");
  fill(
    place,
    el("p", { class: "name" }, el("strong", { class: "as-recorded" }, words), isTest && el("span", { class: "tag" }, "test data")),
    el("p", {}, who, patient.birthDate ? el("span", { class: "muted" }, ` · born ${dateText(patient.birthDate)}`) : ""),
    el("p", { class: "muted" }, "ID ", el("span", { class: "as-recorded" }, chart.patientId)),
    allergies(chart),
  );
  place.hidden = false;
  return `${words} · ${who}`;
}

/** @param {Chart} chart */
function allergies(chart) {
  const known = chart.of("AllergyIntolerance").map((one) => conceptText(one.code)).filter(Boolean);
  return known.length > 0 && el("p", {}, el("span", { class: "muted" }, "Allergies: "), el("span", { class: "as-recorded" }, known.join(", ")));
}

/** @param {any} birthDate @param {string} asOf @returns {number|null} whole years */
function ageOn(birthDate, asOf) {
  if (typeof birthDate !== "string" || birthDate.length < 4) return null;
  const years = Number(asOf.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return birthDate.length >= 10 && asOf.slice(5, 10) < birthDate.slice(5, 10) ? years - 1 : years;
}

/**
 * @typedef {object} ChartActions
 * @property {boolean} isEditing
 * @property {Record<string, any>} ranges
 * @property {(observation: any, changed: any) => void} onValue
 * @property {(resource: any, words: string) => void} onRemove
 * @property {(order: any) => void} onSign
 * @property {(order: any) => void} onWithdraw
 * @property {(kind: "condition"|"medication") => any} adder
 * @property {Set<string>} courses names of the tests whose course is open
 * @property {any} recorded what was recorded here; it stays
 */

/** @param {HTMLElement} place @param {Chart} chart @param {ChartActions} actions */
export function drawChart(place, chart, actions) {
  const observations = chart.of("Observation");
  const isIn = (category) => (one) => categories(one).includes(category);
  const rest = (one) => !["laboratory", "vital-signs", "exam", "social-history", "survey"].some((name) => isIn(name)(one));
  fill(
    place,
    part("Problems", problems(chart, actions), actions.isEditing && actions.adder("condition")),
    part("Medicines", medicines(chart, actions), actions.isEditing && actions.adder("medication")),
    results("Laboratory results", observations.filter((one) => isIn("laboratory")(one) || rest(one)), actions, chart),
    orders(chart, actions),
    optional("Vital signs", observations.filter(isIn("vital-signs")), actions, chart),
    optional("Examination", observations.filter(isIn("exam")), actions, chart),
    optional("Social history", observations.filter(isIn("social-history")), actions, chart),
    plain("Procedures and devices", chart.of("Procedure", "Device"), (one) => conceptText(one.code ?? one.type)),
    plain("Family history", chart.of("FamilyMemberHistory"), familyText),
    plain("History answers", chart.of("QuestionnaireResponse"), (one) => `Answers to ${String(one.questionnaire ?? "a questionnaire").split("/").at(-1)?.split("|")[0].replaceAll("-", " ")}`),
  );
}

/** @param {string} title @param {...any} content */
function part(title, ...content) {
  return el("section", { class: "part" }, el("h3", {}, title), content);
}

/** @param {any[]} items @param {string} nothing */
function entries(items, nothing) {
  if (items.length === 0) return el("p", { class: "muted" }, nothing);
  const shown = el("ul", { class: "entries" }, items.slice(0, SHOWN_FIRST));
  const rest = items.slice(SHOWN_FIRST);
  if (rest.length === 0) return shown;
  const more = el("button", { type: "button", class: "button small" }, `Show ${rest.length} more`);
  more.addEventListener("click", () => {
    shown.append(...rest);
    more.remove();
  });
  return [shown, more];
}

/** @param {any} resource @param {string} words @param {any} details @param {any} [buttons] @param {string} [kind] */
function entry(resource, words, details, buttons, kind = "") {
  return el("li", { class: `entry ${kind}`, dataset: { references: referenceTo(resource) } }, el("span", { class: "entry-words" }, el("span", { class: "as-recorded" }, words), details), buttons);
}

/** @param {any} resource @param {string} words @param {ChartActions} actions */
function remover(resource, words, actions) {
  if (!actions.isEditing || resource === actions.recorded) return null;
  return el("button", { type: "button", class: "button small quiet-button", "aria-label": `Remove ${words}`, on: { click: () => actions.onRemove(resource, words) } }, "Remove");
}

/** @param {Chart} chart @param {ChartActions} actions */
function problems(chart, actions) {
  const drawn = chart.of("Condition").map((one) => {
    const words = conceptText(one.code) || "Without a name";
    const [clinical, verification] = [firstCode(one.clinicalStatus), firstCode(one.verificationStatus)];
    const isOver = INACTIVE.has(clinical) || NOT_SO.has(verification);
    const since = one.onsetDateTime ? `since ${dateText(one.onsetDateTime)}` : one.recordedDate ? `recorded ${dateText(one.recordedDate)}` : "";
    const marks = [NOT_SO.has(verification) ? verification.replaceAll("-", " ") : INACTIVE.has(clinical) ? clinical : "", chart.changes.has(referenceTo(one)) ? "what if" : ""];
    const details = [since && el("span", { class: "muted" }, ` · ${since}`), marks.filter(Boolean).map((mark) => el("span", { class: `tag${mark === "what if" ? " supposed" : ""}` }, mark))];
    return { isOver, item: entry(one, words, details, remover(one, words, actions), isOver ? "over" : "") };
  });
  return entries([...drawn.filter((one) => !one.isOver), ...drawn.filter((one) => one.isOver)].map((one) => one.item), "None on record.");
}

/** @param {Chart} chart @param {ChartActions} actions */
function medicines(chart, actions) {
  const named = chart.of("Medication");
  const drawn = chart.of("MedicationRequest", "MedicationStatement").map((one) => {
    const words = medicineText(one, named);
    const dose = list(one.dosageInstruction ?? one.dosage)[0];
    const start = dose?.timing?.repeat?.boundsPeriod?.start ?? one.effectivePeriod?.start ?? one.effectiveDateTime ?? one.authoredOn ?? one.dateAsserted;
    const details = [
      dose?.text && el("span", { class: "muted as-recorded" }, ` ${dose.text}`),
      start && el("span", { class: "muted" }, ` · ${dateText(start)}`),
      one.status && one.status !== "active" && el("span", { class: "tag" }, one.status.replaceAll("-", " ")),
      chart.changes.has(referenceTo(one)) && el("span", { class: "tag supposed" }, "what if"),
    ];
    return { isOver: one.status !== "active", item: entry(one, words, details, remover(one, words, actions), one.status === "active" ? "" : "over") };
  });
  return entries([...drawn.filter((one) => !one.isOver), ...drawn.filter((one) => one.isOver)].map((one) => one.item), "None on record.");
}

/** @param {string} title @param {any[]} observations @param {ChartActions} actions @param {Chart} chart */
function results(title, observations, actions, chart) {
  const editing = { isOn: actions.isEditing, onValue: actions.onValue, isSupposed: (one) => chart.changes.has(referenceTo(one)), courses: actions.courses };
  const drawn = observations.length === 0 ? el("p", { class: "muted" }, "None on record.") : resultsTable(observations, actions.ranges, editing);
  return part(title, drawn);
}

/** @param {string} title @param {any[]} observations @param {ChartActions} actions @param {Chart} chart */
function optional(title, observations, actions, chart) {
  return observations.length > 0 && results(title, observations, actions, chart);
}

/** @param {string} title @param {any[]} resources @param {(resource: any) => string} words */
function plain(title, resources, words) {
  if (resources.length === 0) return null;
  return part(title, entries(resources.map((one) => entry(one, words(one) || one.resourceType, el("span", { class: "muted" }, ` ${dateText(dateOf(one))}`))), ""));
}

/** @param {any} history */
function familyText(history) {
  return `${conceptText(history.relationship)}: ${list(history.condition).map((one) => conceptText(one.code)).join(", ")}`;
}

/** @param {Chart} chart @param {ChartActions} actions */
function orders(chart, actions) {
  const drawn = chart.of("ServiceRequest").map((one) => {
    const words = conceptText(one.code) || "Without a name";
    const note = list(one.note)[0]?.text;
    const details = [el("span", { class: `status status-${one.status}` }, one.status ?? "no status"), one.authoredOn && el("span", { class: "muted" }, ` ${dateText(one.authoredOn)}`), note && el("details", { class: "order-note" }, el("summary", {}, "Note"), el("p", { class: "as-recorded" }, note))];
    const buttons = one.status === "draft" && el(
      "span",
      { class: "entry-buttons" },
      el("button", { type: "button", class: "button small", "aria-label": `Sign ${words}`, on: { click: () => actions.onSign(one) } }, "Sign"),
      el("button", { type: "button", class: "button small quiet-button", "aria-label": `Withdraw ${words}`, on: { click: () => actions.onWithdraw(one) } }, "Withdraw"),
    );
    return entry(one, words, details, buttons, "order");
  });
  const section = part("Orders", entries(drawn, "No open orders."));
  section.id = "orders";
  return section;
}

/** Bring a resource into view in the chart and mark it for a moment. @param {string} reference @returns {boolean} whether it stands there */
export function showInChart(reference) {
  const rows = [...document.querySelectorAll(`#chart [data-references~="${CSS.escape(reference)}"]`)];
  const row = rows.find((one) => one.getClientRects().length > 0);
  if (!row) return false;
  row.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  row.setAttribute("tabindex", "-1");
  row.focus({ preventScroll: true });
  row.classList.add("shown");
  setTimeout(() => row.classList.remove("shown"), 2500);
  return true;
}
