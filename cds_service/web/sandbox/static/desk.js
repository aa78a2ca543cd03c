// The desk: one open chart, what was recorded on it, and the answer of the service. It joins the parts of the page.

import { notAsked, nothingToSay, refused } from "./advice_states.js";
import { cardDeeds } from "./card_deeds.js";
import { drawCards } from "./cards_view.js";
import { drawBanner, drawChart, showInChart } from "./chart_view.js";
import { explanationOf } from "./compare.js";
import { drawDifference } from "./difference_view.js";
import { announce, byId, el, fill } from "./element.js";
import { conceptText, dateText } from "./fhir.js";
import { HistoryPanel } from "./history_panel.js";
import { drawInspector } from "./inspector_view.js";
import { hookRequest } from "./hook_call.js";
import { recordForm } from "./record_form.js";
import { changeText } from "./results_view.js";
import { callService, renderMarkdown, troubleText } from "./service.js";
import { tabs } from "./tabs.js";
import { adder, supposedCondition, supposedMedication } from "./what_if.js";
import { drawWhy } from "./why_view.js";

const RECORDING = "problem-list-item-create";
const VIEWING = "patient-view";
const MOST_CALLS = 20;
const SIDE_BY_SIDE = "(width >= 60rem)";

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
    this.history = new HistoryPanel(this);
    this.views.onShow((name) => this.drawView(name));
    byId("problem").addEventListener("input", () => this.offerRecording());
    byId("what-if").addEventListener("click", () => this.edit(!this.isEditing));
    byId("as-of").addEventListener("change", (event) => this.readAsOf(event.target.value));
  }

  /** Open a chart and clear the desk of the one before. @param {import("./opening.js").Opened} opened @param {string} name */
  open({ chart, recorded, asOf }, name) {
    Object.assign(this, { chart, asOf, name, recorded: null, answer: null, explanation: null, before: null, onRecord: null, shownError: null });
    this.turn += 1; // an answer that is still under way is for the chart before
    for (const name of ["panel-cards", "panel-why", "difference", "timing", "advice-count"]) fill(byId(name));
    this.details = [];
    byId("trouble").hidden = true;
    byId("welcome").hidden = true;
    byId("columns").hidden = false;
    byId("switch").hidden = false;
    byId("story-line").hidden = true;
    byId("as-of-field").hidden = false;
    this.showDay();
    this.courses.clear();
    this.edit(false);
    this.form.suggest(recorded ? conceptText(recorded.code) : "", recorded ?? {});
    this.history.clear();
    this.views.show("cards");
    this.draw();
    announce(`Chart opened: ${name}.`);
    this.consult(VIEWING);
  }

  /** Return the day on which the chart is read. */
  today() {
    return (this.asOf ?? new Date().toISOString()).slice(0, 10);
  }

  /** Say the day in words too: a date field is written as the browser's language has it. */
  showDay() {
    byId("as-of").value = this.today();
    byId("as-of-words").textContent = dateText(this.today());
  }

  /** @param {string} day */
  readAsOf(day) {
    if (!this.chart || !day) return;
    this.asOf = `${day}T12:00:00Z`;
    this.showDay();
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

  /** @param {any} service @param {any} exchange @param {string[]|null} details */
  receive(service, exchange, details) {
    byId("trouble").textContent = "The details of the cards could not be rendered; their summaries are shown.";
    byId("trouble").hidden = details !== null;
    this.service = service;
    this.shownError = exchange.status === 200 ? null : troubleText(exchange);
    const explanation = explanationOf(exchange.answer);
    this.before = this.answer === null ? null : this.explanation;
    this.answer = exchange.status === 200 ? exchange.answer : { cards: [] };
    this.explanation = explanation;
    if (this.recorded && this.chart.changes.size === 0 && !this.onRecord) this.onRecord = explanation;
    this.details = details ?? [];
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
    byId("switch-name").textContent = drawBanner(byId("banner"), this.chart, this.today());
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
    const told = changes.length > 0 ? [el("p", { class: "label" }, "What if"), el("ul", {}, changes.map((text) => el("li", { class: "as-recorded" }, text))), undo] : el("p", {}, "Change a value or a date, add or remove a condition or a medicine: the answer follows. The record itself stays as it is.");
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
    if (this.shownError) fill(place, refused(this.shownError, () => this.consultAgain()));
    else if (cards.length > 0) drawCards(place, cards, this.details, cardDeeds(this));
    else if (this.recorded) fill(place, nothingToSay());
    else this.offerRecording();
    const words = cards.length === 1 ? "1 card" : `${cards.length} cards`;
    if (this.isAsked) this.bringAdvice();
    this.isAsked = false;
    if (this.recorded) announce(this.shownError ?? `${words}. ${cards[0]?.summary ?? ""}`);
  }

  /** Offer to record what stands in the form, as long as nothing was recorded and the cards have nothing else to show. */
  offerRecording() {
    if (this.recorded || this.shownError || this.answer?.cards.length !== 0) return;
    fill(byId("panel-cards"), notAsked(this.form.waiting(), () => byId("record-button").click()));
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
    if (name === "history" && !byId("panel-history").hidden) this.history.show();
  }

  /** Bring a resource into view; whether it stands in the chart. @param {string} reference */
  show(reference) {
    const isShown = showInChart(reference);
    if (!isShown) announce(`${reference} is not in the part of the chart that is shown.`);
    return isShown;
  }
}
