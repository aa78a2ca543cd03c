// Starts the sandbox: discovers the services, reads the words, then waits for a chart.

import { Desk } from "./desk.js";
import { byId } from "./element.js";
import { Names } from "./names.js";
import { listenForCharts } from "./opening.js";
import { read } from "./service.js";

/** @param {string} text */
function trouble(text) {
  const place = byId("trouble");
  place.textContent = text;
  place.hidden = false;
}

try {
  const [discovery, words] = await Promise.all([read("/cds-services"), read("/sandbox/words")]);
  const desk = new Desk(new Names(words), discovery.services);
  listenForCharts((opened, name) => desk.open(opened, name), trouble);
  document.documentElement.dataset.ready = "true";
} catch (error) {
  trouble(`The sandbox could not start. ${error.message}`);
}
