// Draws the served Questionnaire as a form; every answer is told to the page at once, and none is kept elsewhere.

import { el, fill } from "./element.js";
import { jumps } from "./jumps.js";
import { everyItem, isAsked, typedAnswer } from "./questionnaire.js";

const PAUSE_MS = 250;

export class HistoryForm {
  /**
   * @param {HTMLElement} place
   * @param {any} questionnaire
   * @param {(answers: import("./questionnaire.js").Answers) => void} onAnswers
   */
  constructor(place, questionnaire, onAnswers) {
    this.place = place;
    this.questionnaire = questionnaire;
    this.onAnswers = onAnswers;
    /** @type {import("./questionnaire.js").Answers} */
    this.answers = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.drawn = new Map();
    this.count = el("span", { role: "status" });
    this.draw();
  }

  draw() {
    const { title, description, item } = this.questionnaire;
    const clear = el("button", { type: "button", class: "button small quiet-button", on: { click: () => this.clear() } }, "Clear all answers");
    const form = el("form", { class: "history", autocomplete: "off" }, item.map((one) => this.item(one, 0)));
    form.addEventListener("submit", (event) => event.preventDefault());
    fill(this.place, el("div", { class: "section-head" }, el("h3", {}, title), el("p", { class: "muted small-text" }, this.count, " ", clear)), el("p", { class: "muted" }, description), jumps("Jump to", [...form.querySelectorAll(":scope > .group")]), form);
    this.refresh();
  }

  clear() {
    this.answers.clear();
    this.draw();
    this.tell();
  }

  /** Mark the questions that a card left open. @param {Set<string>} links */
  markOpen(links) {
    for (const [link, element] of this.drawn) element.classList.toggle("open-question", links.has(link));
  }

  /** @param {any} item @param {number} depth @returns {HTMLElement} */
  item(item, depth) {
    const drawn = item.type === "group" ? this.group(item, depth) : this.question(item, depth);
    this.drawn.set(item.linkId, drawn);
    return drawn;
  }

  /** @param {any} item @param {number} depth */
  group(item, depth) {
    return el("fieldset", { class: `group depth-${depth}` }, el("legend", {}, item.text), (item.item ?? []).map((one) => this.item(one, depth + 1)));
  }

  /** @param {any} item @param {number} depth */
  question(item, depth) {
    const inner = (item.item ?? []).map((one) => this.item(one, depth + 1));
    if (item.answerOption || item.type === "boolean") return el("fieldset", { class: `question${item.type === "boolean" ? " yes-or-no" : ""}` }, el("legend", {}, item.text), this.choices(item), inner);
    return el("div", { class: "question" }, this.typed(item), inner);
  }

  /** @param {any} item */
  typed(item) {
    const attributes = { date: { type: "date" }, integer: { type: "number", min: 0, step: 1, class: "narrow" }, decimal: { type: "text", inputmode: "decimal", class: "narrow" } }[item.type] ?? { type: "text", maxlength: 500 };
    const input = el("input", { ...attributes, on: { input: () => this.set(item, this.typedAnswers(item, input)) } });
    return el("label", { class: "field" }, el("span", {}, item.text), input);
  }

  /** @param {any} item @param {any} input */
  typedAnswers(item, input) {
    const answer = typedAnswer(item.type, input.value);
    input.setAttribute("aria-invalid", String(answer === null && input.value.trim() !== ""));
    return answer === null ? [] : [answer];
  }

  /** @param {any} item */
  choices(item) {
    const options = item.type === "boolean" ? [["Yes", { valueBoolean: true }], ["No", { valueBoolean: false }]] : item.answerOption.map((option) => [option.valueCoding.display, option]);
    const type = item.repeats ? "checkbox" : "radio";
    const inputs = options.map(([words, answer]) => ({ answer, words, input: el("input", { type, name: `question-${item.linkId}` }) }));
    const other = item.type === "open-choice" ? el("input", { type: "text", maxlength: 500, "aria-label": `${item.text} In other words` }) : null;
    const gather = () => {
      const chosen = inputs.filter(({ input }) => input.checked).map(({ answer }) => answer);
      const written = other && other.value.trim() ? [{ valueString: other.value.trim() }] : [];
      this.set(item, [...chosen, ...written]);
    };
    for (const { input } of inputs) input.addEventListener("change", gather);
    other?.addEventListener("input", () => {
      if (!item.repeats && other.value.trim()) for (const { input } of inputs) input.checked = false;
      gather();
    });
    return el("div", { class: "choices" }, inputs.map(({ input, words }) => el("label", { class: "choice" }, input, el("span", {}, words))), other && el("label", { class: "choice other-words" }, el("span", {}, "In other words"), other), type === "radio" && this.unanswer(inputs, gather));
  }

  /** A radio button cannot be taken back by itself. @param {any[]} inputs @param {() => void} gather */
  unanswer(inputs, gather) {
    const clear = () => {
      for (const { input } of inputs) input.checked = false;
      gather();
    };
    return el("button", { type: "button", class: "unanswer", "aria-label": "Take the answer back", on: { click: clear } }, "×");
  }

  /** @param {any} item @param {any[]} answers */
  set(item, answers) {
    if (answers.length > 0) this.answers.set(item.linkId, answers);
    else this.answers.delete(item.linkId);
    this.refresh();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.tell(), PAUSE_MS);
  }

  refresh() {
    for (const item of everyItem(this.questionnaire.item)) {
      const element = this.drawn.get(item.linkId);
      if (element) {
        element.hidden = !isAsked(item, this.answers);
        element.classList.toggle("answered", this.answers.has(item.linkId));
      }
    }
    this.count.textContent = this.answers.size === 0 ? "No answer yet" : `${this.answers.size} answered`;
  }

  tell() {
    this.onAnswers(this.answers);
  }
}
