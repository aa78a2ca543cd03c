// Draws cards as an EHR shows them: level, summary, detail, source, suggestions, links, and a way to dismiss them.

import { putCleanedHtml } from "./clean_html.js";
import { el, fill } from "./element.js";
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
    this.buttons = [];
  }

  draw() {
    const { card } = this;
    const title = `card-${card.uuid ?? Math.random().toString(36).slice(2)}`;
    this.body = el("div", { class: "card-body" }, this.detailElement(), this.suggestions(), this.foot());
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
    const rule = this.card.selectionBehavior === "at-most-one" ? "Suggestions: one at most" : "Suggestions";
    return el("section", { class: "suggestions", "aria-label": rule }, el("p", { class: "label" }, rule), el("ul", { class: "chips" }, suggestions.map((one) => el("li", {}, this.suggestion(one)))));
  }

  /** @param {any} suggestion */
  suggestion(suggestion) {
    const accept = async () => {
      const others = this.card.selectionBehavior === "at-most-one" ? this.buttons : [button];
      for (const one of others) one.disabled = true;
      button.classList.add("accepted");
      this.told.textContent = await this.actions.onAccept(this.card, suggestion);
    };
    const button = el("button", { type: "button", class: "button suggestion", on: { click: accept } }, suggestion.label, suggestion.isRecommended && el("span", { class: "tag" }, "recommended"));
    this.buttons.push(button);
    return button;
  }

  foot() {
    const { source, links } = this.card;
    const label = source?.url ? el("a", { href: safeAddress(source.url), target: "_blank", rel: "noopener noreferrer" }, source.label) : source?.label;
    return el(
      "footer",
      { class: "card-foot" },
      el("p", { class: "muted small-text" }, "Source: ", label),
      (links ?? []).map((link) => this.link(link)),
      el("button", { type: "button", class: "button small", on: { click: this.actions.onWhy } }, "Why?"),
      this.dismissal(),
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
    this.article.classList.add("dismissed");
    const again = el("button", { type: "button", class: "button small", on: { click: () => this.showAgain() } }, "Show again");
    const feedback = await this.actions.onDismiss(this.card, reason, comment);
    fill(this.told, `Dismissed${reason ? `: ${reason.display}` : ""}. ${feedback} `, again);
    again.focus();
  }

  showAgain() {
    this.body.hidden = false;
    this.article.classList.remove("dismissed");
    fill(this.told);
  }
}

/** Return an address that a link may have; anything that is no web address leads nowhere. @param {string} address */
function safeAddress(address) {
  return /^https?:\/\//i.test(address) ? address : null;
}
