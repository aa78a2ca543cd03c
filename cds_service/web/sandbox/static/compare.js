// Tells how one explanation differs from another; it weighs nothing, the service has.

/**
 * @typedef {{rank: number, standing: string}} Place
 * @typedef {{cause: string, before: Place|null, after: Place|null}} Move
 * @typedef {object} Difference
 * @property {Move[]} moves causes whose standing or rank changed, in the new order, then those that are gone
 * @property {string[]} newFlags
 * @property {string[]} goneFlags
 * @property {string[]} newOrders orders that are suggested now and were not
 * @property {string[]} goneOrders
 */

/** Return the explanation that travels with the cards of an answer. @param {any} answer @returns {any} */
export function explanationOf(answer) {
  const cards = Array.isArray(answer?.cards) ? answer.cards : answer?.summary ? [answer] : [];
  const extensions = [...cards.map((card) => card?.extension), answer?.extension];
  const found = extensions.map((extension) => extension?.["org.spasm-cds.explanation"]);
  return found.find((one) => Array.isArray(one?.ranking)) ?? null;
}

/** @param {any} explanation @returns {Map<string, Place>} */
function places(explanation) {
  const ranking = explanation?.ranking ?? [];
  return new Map(ranking.map((one, at) => [one.cause, { rank: at + 1, standing: one.standing }]));
}

/** @param {any} explanation @returns {Set<string>} */
function flags(explanation) {
  return new Set((explanation?.red_flags ?? []).map((one) => one.id));
}

/** @param {any} explanation @returns {Set<string>} */
function suggested(explanation) {
  return new Set((explanation?.workup ?? []).filter((one) => one.status === "suggested").map((one) => one.order));
}

/** @param {Set<string>} some @param {Set<string>} others */
const without = (some, others) => [...some].filter((one) => !others.has(one));

/** @param {any} before @param {any} after @returns {Difference} */
export function compare(before, after) {
  const [was, is] = [places(before), places(after)];
  const causes = [...is.keys(), ...[...was.keys()].filter((cause) => !is.has(cause))];
  const moves = causes
    .map((cause) => ({ cause, before: was.get(cause) ?? null, after: is.get(cause) ?? null }))
    .filter(({ before: old, after: now }) => old?.standing !== now?.standing || old?.rank !== now?.rank);
  return {
    moves,
    newFlags: without(flags(after), flags(before)),
    goneFlags: without(flags(before), flags(after)),
    newOrders: without(suggested(after), suggested(before)),
    goneOrders: without(suggested(before), suggested(after)),
  };
}

/** Whether nothing differs. @param {Difference} difference */
export function isSame(difference) {
  return Object.values(difference).every((part) => part.length === 0);
}
