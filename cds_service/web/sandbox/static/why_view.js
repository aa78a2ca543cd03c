// Draws an explanation: what fired, the ranking with every argument and its facts, what is missing, and the sources.

import { el, fill } from "./element.js";
import { jumps } from "./jumps.js";
import { dateText, unitText } from "./fhir.js";
import { LEVELS, opened } from "./names.js";

/** @typedef {import("./names.js").Names} Names */

const IN_DOCUMENT = "source-document";

/**
 * @param {HTMLElement} place
 * @param {any} explanation null where there is none
 * @param {Names} names
 * @param {((reference: string) => boolean)|null} show opens a resource in the chart and says whether it stands there; null where there is no chart
 */
export function drawWhy(place, explanation, names, show) {
  if (explanation === null) {
    fill(place, el("p", { class: "empty" }, "No explanation yet. Record a problem, then see here how the answer was worked out."));
    return;
  }
  const draw = new Drawing(names, show);
  const parts = [
    draw.redFlags(explanation.red_flags ?? []),
    draw.ranking(explanation.ranking ?? []),
    draw.workup(explanation.workup ?? []),
    draw.treatment(explanation),
    draw.notAssessed(explanation.not_assessed ?? []),
    draw.notes(explanation.notes ?? []),
  ].filter(Boolean);
  fill(place, draw.head(explanation), jumps("Jump to", parts), parts, draw.method(explanation));
}

class Drawing {
  /** @param {Names} names @param {((reference: string) => boolean)|null} show */
  constructor(names, show) {
    this.names = names;
    this.show = show;
  }

  /** @param {any} explanation */
  head(explanation) {
    const recorded = (explanation.presentation?.recorded ?? []).map((one) => one.text).join(", ");
    return el(
      "p",
      { class: "lead" },
      "Recorded: ",
      el("q", { class: "as-recorded" }, recorded),
      `. Read as of ${dateText(explanation.as_of)} ${String(explanation.as_of).slice(11, 16)} UTC. `,
      explanation.complete
        ? "Everything that was asked for arrived and could be read."
        : el("strong", {}, "Something could not be read or did not arrive; see the notes."),
    );
  }

  /** @param {any[]} flags */
  redFlags(flags) {
    if (flags.length === 0) return el("p", { class: "quiet" }, "No red flag fired on what was received.");
    return section("Red flags", el("ul", { class: "flags" }, flags.map((flag) => this.flag(flag))));
  }

  /** @param {any} flag */
  flag(flag) {
    return el(
      "li",
      { class: `flag level-edge-${flag.level}` },
      el("p", {}, el("span", { class: `level level-${flag.level}` }, LEVELS[flag.level]), " ", link(`/about#${flag.id}`, this.names.of("red_flags", flag.id)), " ", el("span", { class: "tag" }, flag.id), " ", origin(flag.origin)),
      el("p", {}, flag.because),
      this.facts(flag.facts),
      this.cited([flag.cites].flat()),
    );
  }

  /** @param {any[]} ranking */
  ranking(ranking) {
    if (ranking.length === 0) return section("Ranking", el("p", { class: "muted" }, "Nothing in the record speaks for or against a cause."));
    return section("Ranking", el("ol", { class: "ranking" }, ranking.map((one) => el("li", {}, this.cause(one)))));
  }

  /** @param {any} one */
  cause(one) {
    return el(
      "details",
      { class: `cause standing-${one.standing}`, open: one.standing === "likely" || one.standing === "possible" },
      el(
        "summary",
        {},
        el("span", { class: "cause-name" }, this.names.of("causes", one.cause)),
        el("span", { class: `standing standing-${one.standing}` }, opened(one.standing)),
        el("span", { class: "tag", title: "How soon this cause is worth acting on" }, `urgency: ${opened(one.urgency)}`),
        origin(one.in_source_document ? IN_DOCUMENT : "added"),
      ),
      this.arguments("For", "for", one.for ?? []),
      this.arguments("Against", "against", one.against ?? []),
      this.missing(one.missing ?? []),
      el("p", { class: "small-text" }, link(`/about#${one.cause}`, "All that is weighed for this cause")),
    );
  }

  /** @param {string} title @param {string} kind @param {any[]} found */
  arguments(title, kind, found) {
    if (found.length === 0) return null;
    return el("div", { class: `arguments ${kind}` }, el("h4", {}, title), el("ul", {}, found.map((one) => this.argument(one))));
  }

  /** @param {any} one */
  argument(one) {
    return el(
      "li",
      {},
      el("p", {}, el("span", { class: `weight weight-${one.weight}` }, one.weight), " ", one.because, " ", origin(one.origin)),
      this.facts(one.facts),
      this.cited([one.cites]),
    );
  }

  /** @param {string[]} missing */
  missing(missing) {
    if (missing.length === 0) return null;
    const words = missing.map((id) => el("li", {}, this.names.of("findings", id)));
    return el("div", { class: "arguments missing" }, el("h4", {}, "Not known"), el("ul", { class: "plain" }, words));
  }

  /** @param {any[]} facts */
  facts(facts) {
    if (!facts?.length) return null;
    return el("ul", { class: "facts" }, facts.map((fact) => el("li", {}, this.fact(fact))));
  }

  /** @param {any} fact */
  fact(fact) {
    const value = [fact.value, unitText(fact.unit ?? "")].filter(Boolean).join(" ");
    const details = [fact.range && `range ${fact.range}`, fact.note, fact.by_text && "by text"].filter(Boolean);
    return [
      el("span", { class: "as-recorded" }, fact.what),
      value && [" ", el("strong", { class: "as-recorded" }, value)],
      fact.canonical && ` = ${fact.canonical.value} ${unitText(fact.canonical.unit)}`,
      details.length > 0 && el("span", { class: "muted" }, ` (${details.join(", ")})`),
      fact.on && `, ${dateText(fact.on)}`,
      fact.reference && [" ", this.reference(fact.reference)],
    ];
  }

  /** @param {string} reference */
  reference(reference) {
    if (this.show === null) return el("code", {}, reference);
    const open = () => {
      if (!this.show?.(reference)) button.textContent = "Not in the chart that is shown";
    };
    const button = el("button", { type: "button", class: "reference", title: reference, "aria-label": `Show in chart: ${reference}`, on: { click: open } }, "Show in chart");
    return button;
  }

  /** @param {string[]} ids */
  cited(ids) {
    const known = ids.filter(Boolean);
    return known.length > 0 && el("p", { class: "cited" }, known.map((id, at) => [at > 0 && "; ", this.citation(id)]));
  }

  /** @param {string} id */
  citation(id) {
    const source = this.names.source(id);
    if (source === null) return id;
    return [link(`/about#${id}`, source.title), `, ${source.publisher} (${source.grade})`];
  }

  /** @param {any[]} workup */
  workup(workup) {
    if (workup.length === 0) return null;
    const row = (item) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", "data-column": "Test" }, this.names.of("orders", item.order), " ", origin(item.origin)),
        el("td", { "data-column": "Status" }, el("span", { class: `status status-${item.status}` }, opened(item.status)), item.on && ` ${dateText(item.on)}`, item.reference && [" ", this.reference(item.reference)]),
        el("td", { "data-column": "Because" }, item.because, (item.cautions ?? []).map((one) => el("p", { class: "caution" }, one.text))),
      );
    return section("Workup", el("div", { class: "sheet" }, table(["Test", "Status", "Because"], workup.map(row))));
  }

  /** @param {any} explanation */
  treatment(explanation) {
    const options = explanation.treatment ?? [];
    if (options.length === 0) return null;
    const one = (option) =>
      el(
        "li",
        {},
        el("p", {}, el("strong", {}, this.names.of("treatments", option.option)), option.offered ? " " : " (not offered) ", origin(option.in_source_document ? IN_DOCUMENT : "added")),
        el("p", {}, option.because),
        option.cautions.length > 0 && el("ul", {}, option.cautions.map((caution) => el("li", {}, caution.text, this.facts(caution.facts)))),
      );
    return folded("Treatment options", options.length, el("ul", { class: "plain" }, options.map(one)));
  }

  /** @param {any[]} causes */
  notAssessed(causes) {
    if (causes.length === 0) return null;
    const row = (one) =>
      el("tr", {}, el("th", { scope: "row", "data-column": "Cause" }, this.names.of("causes", one.cause)), el("td", { "data-column": "Not known" }, one.missing.map((id) => this.names.of("findings", id)).join("; ")));
    return folded("Not assessed: nothing in the record speaks for or against", causes.length, table(["Cause", "Not known"], causes.map(row)));
  }

  /** @param {any[]} notes */
  notes(notes) {
    if (notes.length === 0) return null;
    const row = (note) =>
      el("tr", {}, el("td", { "data-column": "Weight" }, note.severity), el("th", { scope: "row", "data-column": "Note" }, opened(note.code)), el("td", { "data-column": "Where" }, el("code", {}, note.path)), el("td", { "data-column": "Remedy" }, note.remedy));
    return folded("Notes on reading", notes.length, table(["Weight", "Note", "Where", "Remedy"], notes.map(row)));
  }

  /** @param {any} explanation */
  method(explanation) {
    return el("p", { class: "muted small-text" }, "Worked out with knowledge ", el("code", {}, explanation.knowledge_version), ". The steps, limits and sources: ", link("/about", "how the cards are made"), ".");
  }
}

/** @param {string} title @param {...any} children */
function section(title, ...children) {
  return el("section", { class: "why-part" }, el("h3", {}, title), children);
}

/** @param {string} title @param {number} count @param {any} content */
function folded(title, count, content) {
  return el("details", { class: "why-part folded" }, el("summary", { dataset: { part: title.split(":")[0] } }, `${title} (${count})`), content);
}

/** @param {string[]} head @param {any[]} rows */
function table(head, rows) {
  return el("table", { class: "stacking" }, el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows));
}

/** @param {string} href @param {string} text */
function link(href, text) {
  return el("a", { href, target: "_blank", rel: "noopener" }, text);
}

/** Mark what the source document says, and what was added to it. @param {string} from */
function origin(from) {
  return from === IN_DOCUMENT
    ? el("span", { class: "origin in-document", title: "The source document says so" }, "source document")
    : el("span", { class: "origin", title: "Not from the source document" }, "added");
}
