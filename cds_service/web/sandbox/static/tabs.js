// Tabs by the ARIA pattern: arrow keys, Home and End move, one panel is shown.

/**
 * @param {HTMLElement} tablist
 * @returns {{show: (name: string) => void, onShow: (listener: (name: string) => void) => void}}
 */
export function tabs(tablist) {
  const all = /** @type {HTMLElement[]} */ ([...tablist.querySelectorAll("[role=tab]")]);
  const listeners = [];
  const nameOf = (tab) => tab.id.replace("tab-", "");
  const select = (chosen) => {
    for (const tab of all) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel) panel.hidden = !isChosen;
    }
    for (const listener of listeners) listener(nameOf(chosen));
  };
  tablist.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest("[role=tab]");
    if (tab) select(tab);
  });
  tablist.addEventListener("keydown", (event) => {
    const at = all.indexOf(/** @type {any} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = all[(to + all.length) % all.length];
    tab.focus();
    select(tab);
  });
  return {
    show: (name) => {
      const tab = all.find((one) => nameOf(one) === name);
      if (tab) select(tab);
    },
    onShow: (listener) => listeners.push(listener),
  };
}
