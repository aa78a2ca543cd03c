// Draws cards as an EHR shows them: level, summary, detail, source, suggestions, links, and a way to dismiss them.

import { putCleanedHtml } from "./clean_html.js";
import { el, fill } from "./element.js";
import { conceptText } from "./fhir.js";
import { LEVELS } from "./names.js";

/**
 * @typedef {object} CardActions
 * @property {(card: any, suggestion: any) => Promise<string>} onAccept resolves to what is told of it
 * @property {(card: any, reason: any, comment: string) => Promise<string>} onDismiss
 * @property {() => void} onWhy
 * @property {(url: string) => boolean} onLink returns whether the page itself has followed the link
 */

/**
 * @param {HTMLElement} place
 * @param {any[]} cards
 * @param {string[]} details clean HTML, one for each card
 * @param {CardActions} actions
 */
export function drawCards(place, cards, details, actions) {
  fill(place, cards.map((card, at) => new CardDrawing(card, details[at] ?? "", actions).draw()));
}

class CardDrawing {
  /** @param {any} card @param {string} detail @param {CardActions} actions */
  constructor(card, detail, actions) {
    this.card = card;
    this.detail = detail;
    this.actions = actions;
    this.told = el("p", { class: "told", role: "status" });
    /** @type {Map<any, any>} */
    this.buttons = new Map();
  }

  draw() {
    const { card } = this;
    const title = `card-${card.uuid ?? Math.random().toString(36).slice(2)}`;
    this.body = el("div", { class: "card-body" }, this.detailElement(), this.suggestions());
    this.footer = this.foot();
    this.article = el(
      "article",
      { class: `card card-${card.indicator}`, "aria-labelledby": title },
      el(
        "header",
        { class: "card-head" },
        el("span", { class: `level level-${card.indicator}` }, LEVELS[card.indicator] ?? card.indicator),
        card.source?.topic?.display && el("span", { class: "muted" }, card.source.topic.display),
      ),
      el("h3", { id: title }, card.summary),
      this.body,
      this.told,
      this.footer,
    );
    return this.article;
  }

  detailElement() {
    if (!this.detail) return null;
    const element = el("div", { class: "detail" });
    putCleanedHtml(element, this.detail);
    return element;
  }

  suggestions() {
    const suggestions = this.card.suggestions ?? [];
    if (suggestions.length === 0) return null;
    const isOne = this.card.selectionBehavior === "at-most-one";
    const advised = suggestions.filter((one) => one.isRecommended);
    const together = isOne ? null : suggestions.find((one) => isTogether(one, advised));
    const others = suggestions.filter((one) => !one.isRecommended && one !== together);
    this.together = { whole: together, parts: new Set(advised) };
    this.foremost = together ?? (advised.length === 1 ? advised[0] : null);
    const rest = isOne ? "One of these at most" : advised.length > 0 ? "Also offered" : "Suggestions";
    return el("div", { class: "suggestions" }, this.group(isOne ? "Recommended, one at most" : "Recommended", together ? [together, ...advised] : advised), this.group(rest, others));
  }

  /** @param {string} label @param {any[]} suggestions */
  group(label, suggestions) {
    if (suggestions.length === 0) return null;
    return el("section", { "aria-label": label }, el("p", { class: "label" }, label), el("ul", { class: "chips" }, suggestions.map((one) => el("li", {}, this.suggestion(one)))));
  }

  /** @param {any} suggestion */
  suggestion(suggestion) {
    const accept = async () => {
      this.close(suggestion);
      this.told.textContent = await this.actions.onAccept(this.card, suggestion);
    };
    const button = el("button", { type: "button", class: `button suggestion${suggestion === this.foremost ? " foremost" : ""}`, on: { click: accept } }, suggestion.label);
    this.buttons.set(suggestion, button);
    return button;
  }

  /** Close what is taken with a suggestion: nothing is ordered twice. @param {any} suggestion */
  close(suggestion) {
    const { whole, parts } = this.together;
    const isOne = this.card.selectionBehavior === "at-most-one";
    for (const [one, button] of this.buttons) {
      const isTaken = one === suggestion || (suggestion === whole && parts.has(one));
      if (isTaken) button.classList.add("accepted");
      if (isTaken || isOne || (one === whole && parts.has(suggestion))) button.disabled = true;
    }
  }

  foot() {
    const { source, links } = this.card;
    const label = source?.url ? el("a", { href: safeAddress(source.url), target: "_blank", rel: "noopener noreferrer" }, source.label) : source?.label;
    return el(
      "footer",
      { class: "card-foot" },
      el("button", { type: "button", class: "button small", on: { click: this.actions.onWhy } }, "Why?"),
      (links ?? []).map((link) => this.link(link)),
      this.dismissal(),
      el("p", { class: "muted small-text" }, "Source: ", label),
    );
  }

  /** @param {any} link */
  link(link) {
    if (link.type === "smart") return el("span", { class: "muted small-text" }, `${link.label} (SMART app: not opened by the sandbox)`);
    const follow = (event) => {
      if (this.actions.onLink(link.url)) event.preventDefault();
    };
    return el("a", { class: "button small", href: safeAddress(link.url), target: "_blank", rel: "noopener noreferrer", on: { click: follow } }, link.label);
  }

  dismissal() {
    const reasons = this.card.overrideReasons ?? [];
    const group = `reason-${this.card.uuid}`;
    const choices = reasons.map((reason, at) => el("label", { class: "choice" }, el("input", { type: "radio", name: group, value: at }), el("span", {}, reason.display)));
    const comment = el("textarea", { rows: 2, maxlength: 1000 });
    const form = el(
      "form",
      { class: "dismiss-form" },
      reasons.length > 0 && el("fieldset", {}, el("legend", {}, "Reason"), choices),
      el("label", { class: "field" }, el("span", {}, "Comment ", el("small", {}, "(optional)")), comment),
      el("button", { class: "button small primary" }, "Dismiss"),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const at = new FormData(form).get(group);
      await this.dismiss(at === null ? null : reasons[Number(at)], comment.value.trim());
    });
    return el("details", { class: "dismiss" }, el("summary", { class: "button small quiet-button" }, "Dismiss…"), form);
  }

  /** @param {any} reason @param {string} comment */
  async dismiss(reason, comment) {
    this.body.hidden = true;
    this.footer.hidden = true;
    this.article.classList.add("dismissed");
    const again = el("button", { type: "button", class: "button small", on: { click: () => this.showAgain() } }, "Show again");
    const feedback = await this.actions.onDismiss(this.card, reason, comment);
    fill(this.told, `Dismissed${reason ? `: ${reason.display}` : ""}. ${feedback} `, again);
    again.focus();
  }

  showAgain() {
    this.body.hidden = false;
    this.footer.hidden = false;
    this.article.classList.remove("dismissed");
    fill(this.told);
  }
}

/** Whether a suggestion holds several orders and each is one of the advised ones. @param {any} suggestion @param {any[]} advised */
function isTogether(suggestion, advised) {
  const names = (one) => (one.actions ?? []).map((action) => conceptText(action.resource?.code));
  const known = new Set(advised.flatMap(names));
  return !suggestion.isRecommended && names(suggestion).length > 1 && names(suggestion).every((name) => name && known.has(name));
}

/** Return an address that a link may have; anything that is no web address leads nowhere. @param {string} address */
function safeAddress(address) {
  return /^https?:\/\//i.test(address) ? address : null;
}
