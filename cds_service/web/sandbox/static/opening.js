// Opens a chart: a sample story, a file, or a patient of a FHIR server. What is read stays in this page.

import { Chart, patientsIn, resourcesOf } from "./chart.js";
import { parse } from "./digits.js";
import { byId, el, fill } from "./element.js";
import { list } from "./fhir.js";
import { read, readChart, reasonText } from "./service.js";

const AS_OF = "org.spasm-cds.as-of";

/**
 * @typedef {object} Opened
 * @property {Chart} chart
 * @property {any} recorded the Condition that the source records; null where it records none
 * @property {string|null} asOf the moment at which the source wants to be read
 */

/** Return the chart of a hook request, or the charts of a Bundle. @param {any} value @returns {Opened[]} */
export function opened(value) {
  if (typeof value?.hook === "string") return [fromRequest(value)];
  const resources = value !== null && typeof value === "object" ? resourcesOf(value) : [];
  return patientsIn(resources).map((id) => ({ chart: new Chart(resources, id), recorded: null, asOf: null }));
}

/** @param {any} request @returns {Opened} */
function fromRequest(request) {
  const { patientId, encounterId, conditions } = request.context ?? {};
  const resources = Object.values(request.prefetch ?? {}).flatMap((value) => (value ? resourcesOf(value) : []));
  const recorded = list(conditions?.entry)[0]?.resource ?? null;
  return { chart: new Chart(resources, patientId, { encounterId }), recorded, asOf: request.extension?.[AS_OF] ?? null };
}

/** @param {(found: Opened, name: string) => void} onOpened @param {(text: string) => void} onTrouble */
export function listenForCharts(onOpened, onTrouble) {
  const onOther = (found, name) => {
    byId("story").value = ""; // the chart is no sample's now, and the same sample can be chosen again
    onOpened(found, name);
  };
  const openText = async (text, name) => {
    let found = [];
    try {
      const value = parse(text);
      await new Promise((resolve) => setTimeout(resolve)); // a large file has kept the page long enough: it may draw now
      found = opened(value);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      onTrouble(`${name} could not be read: it is no JSON. Choose a FHIR Bundle or a hook request.`);
      return;
    }
    if (found.length === 0) onTrouble(`${name} could not be opened: it holds no FHIR resource that names a patient.`);
    else if (found.length === 1) onOther(found[0], name);
    else offerPatients(found, name, onOther);
  };
  stories(onOpened, onTrouble);
  files(openText);
  server(onOther);
}

/** Several patients in one file: the first is opened, the others can be chosen. @param {Opened[]} found @param {string} name @param {any} onOpened */
function offerPatients(found, name, onOpened) {
  const line = byId("story-line");
  const choice = el("select", { on: { change: () => choose(Number(choice.value)) } }, found.map((one, at) => el("option", { value: at }, one.chart.patientId)));
  const choose = (at) => {
    onOpened(found[at], name);
    fill(line, el("label", { class: "inline" }, `${found.length} patients in ${name}: `, choice));
    line.hidden = false;
  };
  choose(0);
}

/** @param {any} onOpened @param {any} onTrouble */
function stories(onOpened, onTrouble) {
  const select = byId("story");
  const open = async () => {
    const option = select.selectedOptions[0];
    if (!option?.value) return;
    try {
      const [found] = opened(await read(`/sandbox/stories/${option.value}`));
      onOpened(found, option.textContent);
    } catch (error) {
      onTrouble(`The story could not be opened. ${error.message}`);
      return;
    }
    byId("story-line").textContent = option.dataset.description;
    byId("story-line").hidden = !option.dataset.description;
  };
  select.addEventListener("change", open);
  const fromAddress = () => {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("story");
    if (wanted && [...select.options].some((one) => one.value === wanted)) {
      select.value = wanted;
      open();
    }
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
}

/** @param {(text: string, name: string) => Promise<void>} openText */
function files(openText) {
  const drop = byId("drop");
  const take = async (file) => {
    if (file) await openText(await file.text(), file.name);
  };
  byId("upload").addEventListener("change", async (event) => {
    await take(event.target.files[0]);
    event.target.value = "";
  });
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.hidden = true;
  });
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.hidden = true;
    take(event.dataTransfer?.files[0]);
  });
}

/** @param {any} onOpened */
function server(onOpened) {
  const [dialog, form, trouble, button] = ["connect-dialog", "connect-form", "connect-trouble", "connect-read"].map(byId);
  byId("connect").addEventListener("click", () => dialog.showModal());
  byId("connect-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wish = { fhirServer: byId("fhir-server").value.trim(), patientId: byId("fhir-patient").value.trim(), accessToken: byId("fhir-token").value || null };
    if (button.disabled) return; // the chart that was asked for is still on its way
    button.disabled = true;
    button.textContent = "Reading…";
    const exchange = await readChart(wish);
    button.disabled = false;
    button.textContent = "Read the chart";
    trouble.hidden = exchange.status === 200;
    if (exchange.status !== 200) {
      trouble.textContent = `${reasonText(exchange)}.`;
      return;
    }
    const { prefetch, failed } = exchange.answer;
    const resources = Object.values(prefetch).flatMap((value) => resourcesOf(value));
    const chart = new Chart(resources, wish.patientId, { fhirServer: wish.fhirServer, accessToken: wish.accessToken ?? undefined, unread: failed });
    dialog.close();
    onOpened({ chart, recorded: null, asOf: null }, `${wish.fhirServer}, Patient/${wish.patientId}`);
    const missing = failed.length > 0 ? ` Not answered by the server: ${failed.join(", ")}.` : "";
    byId("story-line").textContent = `Read from ${wish.fhirServer}.${missing}`;
    byId("story-line").hidden = false;
    byId("story").value = "";
  });
}
