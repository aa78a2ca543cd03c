// Leads to the parts of a long view; the address of the page stays as it is.

import { el } from "./element.js";

const FEWEST = 3;
const ROOM_PX = 8;
const HEADING = "legend, h3, summary";

/**
 * Return buttons that bring a part into view and open it where it is folded; null where there are few parts.
 * @param {string} label @param {Element[]} parts each with a heading
 */
export function jumps(label, parts) {
  const led = parts.filter((part) => part.querySelector(HEADING));
  if (led.length < FEWEST) return null;
  return el("nav", { class: "jumps", "aria-label": label }, led.map((part) => el("button", { type: "button", class: "button small", on: { click: () => jump(part) } }, nameOf(part))));
}

/** @param {Element} part @returns {string} */
function nameOf(part) {
  const heading = /** @type {HTMLElement} */ (part.querySelector(HEADING));
  return heading.dataset.part ?? heading.textContent ?? "";
}

/** What moved may stand above a long view and cover its top; then the part is moved below it. @param {Element} part */
function uncover(part) {
  const above = document.getElementById("difference");
  if (above === null || getComputedStyle(above).position !== "sticky") return;
  const covered = above.getBoundingClientRect().bottom - part.getBoundingClientRect().top;
  if (covered > 0) scrollBy(0, -covered - ROOM_PX);
}

/** @param {Element} part */
function jump(part) {
  if (part instanceof HTMLDetailsElement) part.open = true;
  part.scrollIntoView();
  uncover(part);
  const heading = /** @type {HTMLElement} */ (part.querySelector(HEADING));
  if (heading.tagName !== "SUMMARY") heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
