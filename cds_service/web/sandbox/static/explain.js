// The page that explains a card in hand: what is pasted is read here and sent nowhere.

import { explanationOf } from "./compare.js";
import { byId, fill } from "./element.js";
import { Names } from "./names.js";
import { read } from "./service.js";
import { drawWhy } from "./why_view.js";

const EXTENSION = "org.spasm-cds.explanation";

/** @param {string} text @returns {{explanation: any, trouble: string}} */
function understood(text) {
  let pasted = null;
  try {
    pasted = JSON.parse(text);
  } catch {
    return { explanation: null, trouble: "This is no JSON." };
  }
  const found = explanationOf(pasted) ?? explanationOf({ cards: [{ extension: { [EXTENSION]: pasted } }] });
  if (found) return { explanation: found, trouble: "" };
  const see = pasted?.extension?.[EXTENSION]?.see;
  if (see) return { explanation: null, trouble: `This card points at the first card of its answer, which carries the explanation: ${see}. Paste that one, or the whole answer.` };
  return { explanation: null, trouble: "There is no explanation in it. Paste a card of this service with its extension, or the whole answer." };
}

/** Return the words for ids; where they cannot be read, ids are shown, and the page says so. */
async function readNames() {
  try {
    return new Names(await read("/sandbox/words"));
  } catch (error) {
    byId("explain-trouble").textContent = `Names are shown as ids. ${error.message}`;
    byId("explain-trouble").hidden = false;
    return new Names({});
  }
}

const names = await readNames();
byId("explain-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { explanation, trouble } = understood(byId("explain-text").value);
  byId("explain-trouble").textContent = trouble;
  byId("explain-trouble").hidden = explanation !== null;
  fill(byId("explained"));
  if (explanation === null) return;
  drawWhy(byId("explained"), explanation, names, null);
  byId("explained").focus();
});
document.documentElement.dataset.ready = "true";
