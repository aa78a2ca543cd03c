// What follows from a card: drafts joining the orders, feedback to the service, and ways into the other views.

import { announce, byId } from "./element.js";
import { conceptText } from "./fhir.js";
import { feedbackText } from "./hook_call.js";
import { sendFeedback } from "./service.js";

/** @typedef {import("./desk.js").Desk} Desk */

const QUESTIONNAIRE = /\/fhir\/Questionnaire\//;

/** Return what can be done with the cards of a desk. @param {Desk} desk @returns {import("./cards_view.js").CardActions} */
export function cardDeeds(desk) {
  return {
    onAccept: (card, suggestion) => accept(desk, card, suggestion),
    onDismiss: (card, reason, comment) => dismiss(desk, card, reason, comment),
    onWhy: () => goTo(desk, "why"),
    onLink: (url) => QUESTIONNAIRE.test(url) && goTo(desk, "history"),
  };
}

/** @param {Desk} desk @param {string} view */
function goTo(desk, view) {
  desk.views.show(view);
  byId(`tab-${view}`).focus();
  return true;
}

/** Carry out a suggestion, what it deletes first, and send feedback. @param {Desk} desk @param {any} card @param {any} suggestion */
async function accept(desk, card, suggestion) {
  const { chart } = desk;
  const actions = suggestion.actions ?? [];
  const deleted = actions.filter((action) => action.type === "delete").map((action) => chart.find(action.resourceId));
  for (const resource of deleted.filter(Boolean)) chart.withdraw(resource);
  const resources = actions.filter((action) => action.type !== "delete" && action.resource).map((action) => action.resource);
  const orders = resources.filter((resource) => resource.resourceType !== "QuestionnaireResponse");
  for (const order of orders) chart.enter({ ...order, id: order.id ?? chart.freshId("order"), authoredOn: order.authoredOn ?? desk.today() });
  if (orders.length + deleted.length > 0) desk.draw();
  const questions = resources.find((resource) => resource.resourceType === "QuestionnaireResponse");
  if (questions) desk.history.ask(questions);
  const exchange = await feedback(desk, card, { outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
  const done = questions ? "The history form is open." : doneText(orders);
  announce(done);
  return `${done} ${feedbackText(exchange)}`;
}

/** @param {any[]} orders */
function doneText(orders) {
  return orders.length > 0 ? `Added to the orders: ${orders.map((order) => conceptText(order.code)).join(", ")}.` : "Done.";
}

/** @param {Desk} desk @param {any} card @param {any} reason @param {string} comment */
async function dismiss(desk, card, reason, comment) {
  const overrideReason = { ...(reason ? { reason: { code: reason.code, system: reason.system } } : {}), ...(comment ? { userComment: comment } : {}) };
  const exchange = await feedback(desk, card, { outcome: "overridden", ...(reason || comment ? { overrideReason } : {}) });
  return feedbackText(exchange);
}

/** Send feedback; null where card or suggestion has no id that it could name. @param {Desk} desk @param {any} card @param {any} outcome */
async function feedback(desk, card, outcome) {
  if (!card.uuid || outcome.acceptedSuggestions?.some((one) => !one.id)) return null;
  const exchange = await sendFeedback(desk.service.id, { card: card.uuid, ...outcome, outcomeTimestamp: new Date().toISOString() });
  desk.logged(exchange, "feedback");
  desk.drawView("inspector");
  return exchange;
}
