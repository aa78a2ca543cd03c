// Turns answers of a form into a FHIR QuestionnaireResponse; what they mean is the service's part.

import { typedNumber } from "./digits.js";

/** @typedef {Map<string, any[]>} Answers linkId → FHIR answers, each with one value[x] */

/** Yield every item, each before what it holds. @param {any[]} items @returns {Generator<any>} */
export function* everyItem(items) {
  for (const item of items ?? []) {
    yield item;
    yield* everyItem(item.item);
  }
}

/** Whether a question is asked, given the answers so far. @param {any} item @param {Answers} answers */
export function isAsked(item, answers) {
  const conditions = item.enableWhen ?? [];
  if (conditions.length === 0) return true;
  const held = conditions.map((condition) => holds(condition, answers.get(condition.question) ?? []));
  return item.enableBehavior === "any" ? held.some(Boolean) : held.every(Boolean);
}

/** @param {any} condition @param {any[]} answers */
function holds(condition, answers) {
  return answers.some((answer) =>
    "answerBoolean" in condition ? answer.valueBoolean === condition.answerBoolean : answer.valueCoding?.code !== undefined && answer.valueCoding.code === condition.answerCoding?.code,
  );
}

/** Return the FHIR answer for a text that was typed; null where there is none. @param {string} type @param {string} text @returns {any} */
export function typedAnswer(type, text) {
  if (text.trim() === "") return null;
  if (type === "date") return { valueDate: text };
  if (type === "integer") return /^\d+$/.test(text.trim()) ? { valueInteger: Number(text) } : null;
  if (type === "decimal") {
    const number = typedNumber(text);
    return number === null ? null : { valueDecimal: number };
  }
  return { valueString: text.trim() };
}

/**
 * @param {any} questionnaire
 * @param {Answers} answers
 * @param {{id: string, patientId: string, authored: string}} about
 */
export function response(questionnaire, answers, about) {
  return {
    resourceType: "QuestionnaireResponse",
    id: about.id,
    questionnaire: `${questionnaire.url}|${questionnaire.version}`,
    status: "completed",
    subject: { reference: `Patient/${about.patientId}` },
    authored: about.authored,
    item: answered(questionnaire.item, answers),
  };
}

/** @param {any[]} items @param {Answers} answers @returns {any[]} */
function answered(items, answers) {
  return (items ?? [])
    .filter((item) => isAsked(item, answers))
    .map((item) => ({ linkId: item.linkId, text: item.text, answer: answers.get(item.linkId) ?? [], item: answered(item.item, answers) }))
    .filter((item) => item.answer.length > 0 || item.item.length > 0)
    .map(({ answer, item, ...named }) => ({ ...named, ...(answer.length > 0 ? { answer } : {}), ...(item.length > 0 ? { item } : {}) }));
}
