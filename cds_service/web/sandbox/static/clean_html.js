// The one place where HTML enters a page: what the service rendered from Markdown and cleaned. Nothing else uses it.

/** @type {{createHTML: (html: string) => any}} */
const policy = globalThis.trustedTypes?.createPolicy("cleaned-cards", { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

/**
 * Put HTML that `/sandbox/render` has cleaned into an element.
 * @param {HTMLElement} element
 * @param {string} html
 */
export function putCleanedHtml(element, html) {
  element.innerHTML = policy.createHTML(html);
}
