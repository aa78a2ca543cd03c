// Builds elements whose text is always text; it never parses markup.

/**
 * Return a new element. Attributes that are null or false are left out; `on` holds listeners, `dataset` data attributes.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|number|null|undefined|false|(Node|string|null|undefined|false)[])} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...filled(children));
  return element;
}

/** Replace all children. @param {Element} parent @param {...any} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...filled(children));
}

/** @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found;
}

/** Say something to who cannot see the change. @param {string} text */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** @param {any[]} children @returns {(Node|string)[]} */
function filled(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : String(child)));
}
