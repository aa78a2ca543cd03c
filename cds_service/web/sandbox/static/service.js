// Calls the service's public endpoints, and the few of the sandbox itself; every request goes to this page's own origin.

import { parse } from "./digits.js";

/**
 * @typedef {object} Exchange
 * @property {string} url
 * @property {string} request the body as it was sent
 * @property {string} response the body as it came
 * @property {any} answer the parsed response; null where it is no JSON
 * @property {number} status 0 where nothing was answered
 * @property {number} milliseconds
 */

/** @param {string} url @param {string} body @returns {Promise<Exchange>} */
async function post(url, body) {
  const began = performance.now();
  try {
    const reply = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const response = await reply.text();
    const milliseconds = performance.now() - began;
    return { url, request: body, response, answer: parsed(response), status: reply.status, milliseconds };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a TypeError is what fetch calls an unreachable server
    return { url, request: body, response: "", answer: null, status: 0, milliseconds: performance.now() - began };
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return parse(text);
  } catch {
    return null; // the status and the text are shown instead
  }
}

/** @param {string} url @returns {Promise<any>} */
export async function read(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${url} was answered with status ${reply.status}.`);
  return parse(await reply.text());
}

/** Call a service. @param {string} id @param {any} request */
export function callService(id, request) {
  return post(`/cds-services/${encodeURIComponent(id)}`, JSON.stringify(request));
}

/** Send feedback on one card. @param {string} id @param {any} item */
export function sendFeedback(id, item) {
  return post(`/cds-services/${encodeURIComponent(id)}/feedback`, JSON.stringify({ feedback: [item] }));
}

/** Return clean HTML for Markdown texts, in their order; null where it could not be made. @param {string[]} texts @returns {Promise<string[]|null>} */
export async function renderMarkdown(texts) {
  if (texts.length === 0) return [];
  const exchange = await post("/sandbox/render", JSON.stringify({ texts }));
  return exchange.status === 200 ? exchange.answer.html : null;
}

/** Return what breaks the standard in a message. @param {"request"|"response"} kind @param {string} body @returns {Promise<string[]>} */
export async function validate(kind, body) {
  const exchange = await post(`/sandbox/validate/${kind}`, body);
  return exchange.status === 200 ? exchange.answer.faults : [troubleText(exchange)];
}

/** Read a chart from a FHIR server, through the service. @param {any} wish */
export function readChart(wish) {
  return post("/sandbox/fhir", JSON.stringify(wish));
}

/** Return the reason of an answer that is not 200, in words alone. @param {Exchange} exchange @returns {string} */
export function reasonText({ status, answer }) {
  if (status === 0) return "The service did not answer. Is it still running?";
  const said = answer?.issue?.[0]?.details?.text;
  if (said) return said.replace(/\.$/, "");
  if (status === 429 || status === 503) return "The service is busy; ask again in a moment";
  return status >= 500 ? "The service met a fault of its own" : "No reason was given";
}

/** Return the reason of an answer that is not 200, where it lies, and the status. @param {Exchange} exchange @returns {string} */
export function troubleText(exchange) {
  if (exchange.status === 0) return reasonText(exchange);
  const where = (exchange.answer?.issue?.[0]?.expression ?? []).join(", ");
  return `${reasonText(exchange)}${where ? ` (${where})` : ""}. Answered with status ${exchange.status}.`;
}
