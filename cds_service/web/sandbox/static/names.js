// The words for ids and levels; what has no word of its own is shown as its id, hyphens opened.

export const LEVELS = { critical: "Critical", warning: "Warning", info: "Information" };

/** @param {string} id */
export const opened = (id) => String(id).replaceAll("-", " ");

export class Names {
  /** @param {any} words what `/sandbox/words` answered */
  constructor(words) {
    this.words = words;
  }

  /** @param {"causes"|"findings"|"orders"|"red_flags"|"treatments"} kind @param {string} id @returns {string} */
  of(kind, id) {
    return this.words[kind]?.[id] ?? opened(id);
  }

  /** Return title, publisher and grade of a source; null for one that is not known. @param {string} id @returns {any} */
  source(id) {
    return this.words.sources?.[id] ?? null;
  }
}
