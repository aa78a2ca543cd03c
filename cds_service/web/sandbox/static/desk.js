// The desk: one open chart, what was recorded on it, and the answer of the service. It joins the parts of the page.

import { drawCards } from "./cards_view.js";
import { drawBanner, drawChart, showInChart } from "./chart_view.js";
import { explanationOf } from "./compare.js";
import { drawDifference } from "./difference_view.js";
import { announce, byId, el, fill } from "./element.js";
import { conceptText, dateText } from "./fhir.js";
import { HistoryForm } from "./history_form.js";
import { drawInspector } from "./inspector_view.js";
import { feedbackText, hookRequest } from "./hook_call.js";
import { everyItem, response } from "./questionnaire.js";
import { recordForm } from "./record_form.js";
import { changeText } from "./results_view.js";
import { callService, read, renderMarkdown, sendFeedback, troubleText } from "./service.js";
import { tabs } from "./tabs.js";
import { adder, supposedCondition, supposedMedication } from "./what_if.js";
import { drawWhy } from "./why_view.js";

const RECORDING = "problem-list-item-create";
const VIEWING = "patient-view";
const MOST_CALLS = 20;
const SIDE_BY_SIDE = "(width >= 60rem)";
const RESPONSE_ID = "sandbox-history";
const QUESTIONNAIRE = /\/fhir\/Questionnaire\//;

export class Desk {
  /** @param {import("./names.js").Names} names @param {any[]} services as they were discovered */
  constructor(names, services) {
    this.names = names;
    this.services = services;
    this.views = tabs(/** @type {any} */ (document.querySelector("[role=tablist]")));
    this.form = recordForm(names.words, (condition) => this.record(condition));
    this.isEditing = false;
    this.against = "before";
    this.isDifferenceOpen = true;
    /** @type {import("./inspector_view.js").Call[]} */
    this.calls = [];
    this.turn = 0;
    this.courses = new Set();
    this.views.onShow((name) => this.drawView(name));
    byId("what-if").addEventListener("click", () => this.edit(!this.isEditing));
    byId("as-of").addEventListener("change", (event) => this.readAsOf(event.target.value));
  }

  /** Open a chart and clear the desk of the one before. @param {import("./opening.js").Opened} opened @param {string} name */
  open({ chart, recorded, asOf }, name) {
    Object.assign(this, { chart, asOf, name, recorded: null, answer: null, before: null, onRecord: null, history: null, shownError: null });
    this.details = [];
    byId("trouble").hidden = true;
    byId("welcome").hidden = true;
    byId("columns").hidden = false;
    byId("switch").hidden = false;
    byId("story-line").hidden = true;
    byId("as-of").value = this.today();
    this.courses.clear();
    this.openQuestions = null;
    this.edit(false);
    this.form.suggest(recorded ? conceptText(recorded.code) : "", recorded ?? {});
    fill(byId("panel-history"));
    this.views.show("cards");
    this.draw();
    announce(`Chart opened: ${name}.`);
    this.consult(VIEWING);
  }

  /** Return the day on which the chart is read. */
  today() {
    return (this.asOf ?? new Date().toISOString()).slice(0, 10);
  }

  /** @param {string} day */
  readAsOf(day) {
    if (!this.chart || !day) return;
    this.asOf = `${day}T12:00:00Z`;
    this.draw();
    this.consultAgain();
  }

  /** @param {boolean} isEditing */
  edit(isEditing) {
    this.isEditing = isEditing;
    byId("what-if").setAttribute("aria-pressed", String(isEditing));
    byId("chart").classList.toggle("editing", isEditing);
    if (this.chart) this.draw();
  }

  /** Record a problem, as an EHR's problem list does, and ask what there is to say. @param {any} entered */
  record(entered) {
    const condition = {
      ...supposedCondition({ id: this.chart.freshId("problem"), patientId: this.chart.patientId, words: "", coding: null, since: "", today: this.today() }),
      category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-category", code: "problem-list-item" }] }],
      ...entered,
    };
    this.chart.enter(condition);
    Object.assign(this, { recorded: condition, before: null, onRecord: null, answer: null });
    this.draw();
    this.isAsked = true;
    this.consult(RECORDING);
  }

  consultAgain() {
    return this.consult(this.recorded ? RECORDING : VIEWING);
  }

  /** Call the service of a hook with the chart as it stands, and show its answer. @param {string} hook */
  async consult(hook) {
    const service = this.services.find((one) => one.hook === hook);
    if (!service) return;
    this.turn += 1;
    const turn = this.turn;
    const request = hookRequest(service, this.chart, this.recorded, this.asOf);
    const exchange = await callService(service.id, request);
    this.logged(exchange, hook);
    if (turn !== this.turn) return; // a later call has been made; its answer counts
    const details = exchange.status === 200 ? await renderMarkdown(exchange.answer.cards.map((card) => card.detail ?? "")) : [];
    if (turn === this.turn) this.receive(service, exchange, details);
  }

  /** @param {any} exchange @param {string} title */
  logged(exchange, title) {
    this.calls = [{ ...exchange, title }, ...this.calls].slice(0, MOST_CALLS);
  }

  /** @param {any} service @param {any} exchange @param {string[]} details */
  receive(service, exchange, details) {
    this.service = service;
    this.shownError = exchange.status === 200 ? null : troubleText(exchange);
    const explanation = explanationOf(exchange.answer);
    this.before = this.answer === null ? null : this.explanation;
    this.answer = exchange.status === 200 ? exchange.answer : { cards: [] };
    this.explanation = explanation;
    if (this.recorded && this.chart.changes.size === 0 && !this.onRecord) this.onRecord = explanation;
    this.details = details;
    byId("timing").textContent = `answered in ${exchange.milliseconds.toFixed(0)} ms`;
    this.drawAnswer();
  }

  /** Draw the chart anew and leave the focus where it is, by the name of what has it. */
  draw() {
    const name = document.activeElement?.closest("#chart-sections") ? document.activeElement.getAttribute("aria-label") : null;
    this.drawParts();
    if (name !== null) [...document.querySelectorAll("#chart-sections [aria-label]")].find((one) => one.getAttribute("aria-label") === name)?.focus({ preventScroll: true });
  }

  drawParts() {
    drawBanner(byId("banner"), this.chart, this.today());
    drawChart(byId("chart-sections"), this.chart, {
      isEditing: this.isEditing,
      ranges: this.names.words.ranges,
      onValue: (observation, changed) => this.suppose(changed, changeText(this.chart.original(observation) ?? observation, changed)),
      onRemove: (resource, words) => this.supposeWithout(resource, `without ${words}`),
      onSign: (order) => this.sign(order),
      onWithdraw: (order) => this.withdraw(order),
      courses: this.courses,
      recorded: this.recorded,
      adder: (kind) => adder(kind, (words, coding, since) => this.add(kind, words, coding, since)),
    });
    this.drawChanges();
  }

  drawChanges() {
    const place = byId("changes");
    const changes = [...this.chart.changes.values()];
    place.hidden = changes.length === 0 && !this.isEditing;
    const undo = el("button", { type: "button", class: "button small", on: { click: () => this.undo() } }, "Take all back");
    const told = changes.length > 0 ? [el("p", { class: "label" }, "What if"), el("ul", {}, changes.map((text) => el("li", { class: "data" }, text))), undo] : el("p", {}, "Change a value or a date, add or remove a condition or a medicine: the answer follows. The record itself stays as it is.");
    fill(place, told);
  }

  /** @param {any} resource @param {string} text */
  suppose(resource, text) {
    this.chart.suppose(resource, text);
    this.changed();
  }

  /** @param {any} resource @param {string} text */
  supposeWithout(resource, text) {
    this.chart.supposeWithout(resource, text);
    this.changed();
  }

  /** @param {"condition"|"medication"} kind @param {string} words @param {any} coding @param {string} since */
  add(kind, words, coding, since) {
    const made = kind === "condition" ? supposedCondition : supposedMedication;
    const supposed = { id: this.chart.freshId(kind), patientId: this.chart.patientId, words, coding, since, today: this.today() };
    this.suppose(made(supposed), `with ${words}${since ? ` since ${dateText(since)}` : ""}`);
  }

  undo() {
    this.chart.undo();
    this.changed();
  }

  /** Follow a change once the focus has moved on: to draw while it moves would lose it. */
  changed() {
    setTimeout(() => {
      this.draw();
      this.consultAgain();
    });
  }

  /** @param {any} order */
  sign(order) {
    this.chart.enter({ ...order, status: "active", intent: "order", authoredOn: this.today() });
    announce(`${conceptText(order.code)} signed.`);
    this.changed();
  }

  /** @param {any} order */
  withdraw(order) {
    this.chart.withdraw(order);
    this.draw();
  }

  drawAnswer() {
    const { cards } = this.answer;
    const place = byId("panel-cards");
    byId("advice-count").textContent = cards.length > 0 ? `(${cards.length})` : "";
    this.drawDifference();
    this.drawView("why");
    this.drawView("history");
    this.drawView("inspector");
    if (this.shownError) fill(place, el("div", { class: "trouble" }, el("p", {}, el("strong", {}, "The service gave no advice: "), this.shownError)));
    else if (cards.length > 0) drawCards(place, cards, this.details, this.cardActions());
    else fill(place, el("p", { class: "empty" }, this.recorded ? "Evaluated, and nothing to say: this is not a muscle symptom that the service knows, or it is not active." : "Record a problem to ask for advice."));
    const words = cards.length === 1 ? "1 card" : `${cards.length} cards`;
    if (this.isAsked) this.bringAdvice();
    this.isAsked = false;
    if (this.recorded) announce(this.shownError ?? `${words}. ${cards[0]?.summary ?? ""}`);
  }

  /** Where chart and advice stand below one another, the advice that was asked for is brought into view. */
  bringAdvice() {
    this.views.show("cards");
    if (!matchMedia(SIDE_BY_SIDE).matches) byId("advice").scrollIntoView();
  }

  drawDifference() {
    const before = this.against === "record" ? this.onRecord : this.before;
    drawDifference(byId("difference"), before ?? null, this.explanation, this.names, {
      against: this.against,
      isOpen: this.isDifferenceOpen,
      onOpen: (isOpen) => {
        this.isDifferenceOpen = isOpen;
      },
      onAgainst: (against) => {
        this.against = against;
        this.drawDifference();
      },
    });
  }

  /** @param {string} name */
  drawView(name) {
    if (!this.chart) return;
    if (name === "why") drawWhy(byId("panel-why"), this.explanation ?? null, this.names, (reference) => this.show(reference));
    if (name === "inspector" && !byId("panel-inspector").hidden) drawInspector(byId("panel-inspector"), this.calls);
    if (name === "history" && !byId("panel-history").hidden) this.openHistory();
  }

  /** @param {string} reference */
  show(reference) {
    if (!showInChart(reference)) announce(`${reference} is not in the part of the chart that is shown.`);
  }

  cardActions() {
    return {
      onAccept: (card, suggestion) => this.accept(card, suggestion),
      onDismiss: (card, reason, comment) => this.dismiss(card, reason, comment),
      onWhy: () => {
        this.views.show("why");
        byId("tab-why").focus();
      },
      onLink: (url) => this.follow(url),
    };
  }

  /** Carry out a suggestion and send feedback. @param {any} card @param {any} suggestion */
  async accept(card, suggestion) {
    const resources = (suggestion.actions ?? []).filter((action) => action.type !== "delete" && action.resource).map((action) => action.resource);
    const orders = resources.filter((resource) => resource.resourceType !== "QuestionnaireResponse");
    for (const order of orders) this.chart.enter({ ...order, id: order.id ?? this.chart.freshId("order"), authoredOn: order.authoredOn ?? this.today() });
    if (orders.length > 0) this.draw();
    const questions = resources.find((resource) => resource.resourceType === "QuestionnaireResponse");
    if (questions) this.ask(questions);
    const exchange = await this.feedback(card, { outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
    const done = questions ? "The history form is open." : `Added to the orders: ${orders.map((order) => conceptText(order.code)).join(", ")}.`;
    announce(done);
    return `${done} ${feedbackText(exchange)}`;
  }

  /** @param {any} card @param {any} reason @param {string} comment */
  async dismiss(card, reason, comment) {
    const overrideReason = { ...(reason ? { reason: { code: reason.code, system: reason.system } } : {}), ...(comment ? { userComment: comment } : {}) };
    const exchange = await this.feedback(card, { outcome: "overridden", ...(reason || comment ? { overrideReason } : {}) });
    return feedbackText(exchange);
  }

  /** @param {any} card @param {any} outcome */
  async feedback(card, outcome) {
    const exchange = await sendFeedback(this.service.id, { card: card.uuid, ...outcome, outcomeTimestamp: new Date().toISOString() });
    this.logged(exchange, "feedback");
    this.drawView("inspector");
    return exchange;
  }

  /** Follow a link inside the page where it leads to the history. @param {string} url */
  follow(url) {
    if (!QUESTIONNAIRE.test(url)) return false;
    this.views.show("history");
    byId("tab-history").focus();
    return true;
  }

  /** Open the history form with the questions that a card left open. @param {any} draft */
  ask(draft) {
    this.openQuestions = new Set([...everyItem(draft.item)].filter((item) => !item.item).map((item) => item.linkId));
    this.views.show("history");
  }

  async openHistory() {
    if (!this.history) {
      this.questionnaire ??= read("/fhir/Questionnaire/muscle-spasm-history");
      const questionnaire = await this.questionnaire;
      this.history ??= new HistoryForm(byId("panel-history"), questionnaire, (answers) => this.answered(questionnaire, answers));
    }
    if (this.openQuestions) this.history.markOpen(this.openQuestions);
  }

  /** @param {any} questionnaire @param {any} answers */
  answered(questionnaire, answers) {
    const about = { id: RESPONSE_ID, patientId: this.chart.patientId, authored: this.asOf ?? new Date().toISOString() };
    const given = response(questionnaire, answers, about);
    const earlier = this.chart.find(`QuestionnaireResponse/${RESPONSE_ID}`);
    if (given.item.length > 0) this.chart.suppose(given, `${answers.size} history ${answers.size === 1 ? "answer" : "answers"}`);
    else if (earlier) this.chart.supposeWithout(earlier, "without history answers");
    this.changed();
  }
}
