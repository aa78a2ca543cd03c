// The panel of the history: reads the questions when they are first looked at, and puts answers into the chart.

import { byId, el, fill } from "./element.js";
import { HistoryForm } from "./history_form.js";
import { everyItem, response } from "./questionnaire.js";
import { read } from "./service.js";

const RESPONSE_ID = "sandbox-history";

export class HistoryPanel {
  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.questionnaire = null;
    this.clear();
  }

  /** Forget the answers: another chart is opened. */
  clear() {
    /** @type {HistoryForm|null} */
    this.form = null;
    /** @type {Set<string>} */
    this.open = new Set();
    fill(byId("panel-history"));
  }

  /** Show the form with the questions that a card left open. @param {any} draft */
  ask(draft) {
    this.open = new Set([...everyItem(draft.item)].filter((item) => !item.item).map((item) => item.linkId));
    this.desk.views.show("history");
  }

  async show() {
    const questionnaire = await this.readQuestionnaire();
    if (questionnaire === null) return;
    this.form ??= new HistoryForm(byId("panel-history"), questionnaire, (answers) => this.answered(questionnaire, answers));
    this.form.markOpen(this.open);
  }

  /** Read the questions once; where that fails the panel says so, and the next look tries again. */
  async readQuestionnaire() {
    const [name] = this.desk.names.words.questionnaires;
    try {
      this.questionnaire ??= await read(`/fhir/Questionnaire/${name}`);
    } catch (error) {
      fill(byId("panel-history"), el("p", { class: "trouble" }, `The questions could not be read. ${error.message}`));
    }
    return this.questionnaire;
  }

  /** @param {any} questionnaire @param {any} answers */
  answered(questionnaire, answers) {
    const { chart, asOf } = this.desk;
    const about = { id: RESPONSE_ID, patientId: chart.patientId, authored: asOf ?? new Date().toISOString() };
    const given = response(questionnaire, answers, about);
    const earlier = chart.find(`QuestionnaireResponse/${RESPONSE_ID}`);
    if (given.item.length > 0) chart.suppose(given, `${answers.size} history ${answers.size === 1 ? "answer" : "answers"}`);
    else if (earlier) chart.supposeWithout(earlier, "without history answers");
    this.desk.changed();
  }
}
