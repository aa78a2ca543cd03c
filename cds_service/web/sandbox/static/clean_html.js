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
  for (const table of element.querySelectorAll("table")) labelCells(table);
}

/** Give each cell the name of its column, for screens on which a row is shown as a list. @param {HTMLTableElement} table */
function labelCells(table) {
  const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent ?? "");
  const rows = [...table.querySelectorAll("tbody tr")];
  for (const row of rows) [...row.children].forEach((cell, place) => cell.setAttribute("data-column", names[place] ?? ""));
  names.forEach((_name, place) => {
    const isEmpty = rows.every((row) => !row.children[place]?.textContent?.trim());
    if (isEmpty) table.querySelectorAll("thead th")[place]?.classList.add("empty-column");
  });
}
