// Shows what went over the wire: request, response, time, whether both keep to the standard, and the call as curl.

import { announce, el, fill } from "./element.js";
import { validate } from "./service.js";

const MOST_SHOWN = 60_000;

/** @typedef {import("./service.js").Exchange & {title: string}} Call */

/** @param {HTMLElement} place @param {Call[]} calls the newest first */
export function drawInspector(place, calls) {
  if (calls.length === 0) {
    fill(place, el("p", { class: "empty" }, "No call yet. Every call of this page to the service is shown here."));
    return;
  }
  const shown = el("div", {});
  const choose = el("select", { on: { change: () => show(Number(choose.value)) } }, calls.map((call, at) => el("option", { value: at }, `${call.title} · ${call.status || "no answer"} · ${call.milliseconds.toFixed(0)} ms`)));
  const show = (at) => fill(shown, callElement(calls[at]));
  fill(place, el("label", { class: "field" }, el("span", {}, "Call"), choose), shown);
  show(0);
}

/** @param {Call} call */
function callElement(call) {
  const isHook = !call.url.endsWith("/feedback");
  return [
    el(
      "dl",
      { class: "facts-line" },
      pair("Request", `POST ${call.url}`),
      pair("Status", call.status || "none"),
      pair("Time", `${call.milliseconds.toFixed(1)} ms, seen from this page`),
      pair("Size", `${size(call.request)} sent, ${size(call.response)} received`),
    ),
    isHook && validation(call),
    el("p", { class: "actions" }, copyButton("Copy as curl", () => curl(call)), copyButton("Copy request", () => call.request), copyButton("Copy response", () => call.response)),
    body("Request", call.request),
    body("Response", call.response),
  ];
}

/** @param {string} name @param {any} value */
function pair(name, value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, String(value)));
}

/** @param {Call} call */
function validation(call) {
  const place = el("div", { role: "status" }, el("p", { class: "muted" }, "Checking against CDS Hooks 2.0.1…"));
  const checks = [validate("request", call.request), call.status === 200 ? validate("response", call.response) : Promise.resolve([])];
  Promise.all(checks).then(([request, response]) => {
    fill(place, verdict("Request", request), call.status === 200 ? verdict("Response", response) : el("p", { class: "muted" }, "The response is no answer with cards."));
  });
  return place;
}

/** @param {string} name @param {string[]} faults */
function verdict(name, faults) {
  if (faults.length === 0) return el("p", { class: "valid" }, `${name}: keeps to CDS Hooks 2.0.1.`);
  return el("div", { class: "invalid" }, el("p", {}, `${name}: does not keep to CDS Hooks 2.0.1.`), el("ul", {}, faults.map((fault) => el("li", {}, fault))));
}

/** @param {string} title @param {string} text */
function body(title, text) {
  const place = el("pre", { tabindex: 0, "aria-label": title });
  const details = el("details", { class: "wire" }, el("summary", {}, title), place);
  details.addEventListener("toggle", () => {
    if (details.open && !place.hasChildNodes()) place.textContent = cut(indented(text));
  });
  return details;
}

/** @param {string} text */
function indented(text) {
  try {
    return text.length > 2_000_000 ? text : JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // no JSON: shown as it came
  }
}

/** @param {string} text */
function cut(text) {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}\n… ${text.length - MOST_SHOWN} more characters; copy it to see the rest`;
}

/** @param {string} text */
function size(text) {
  const bytes = new Blob([text]).size;
  return bytes < 10_000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(0)} KB`;
}

/** Return the call for a shell. The body is read from below, where no character of it means anything to the shell. @param {Call} call */
export function curl(call) {
  return `curl -s '${location.origin}${call.url}' -H 'Content-Type: application/json' --data-binary @- <<'END_OF_REQUEST'\n${call.request}\nEND_OF_REQUEST\n`;
}

/** @param {string} label @param {() => string} text */
function copyButton(label, text) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      announce(`${label}: copied.`);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser refused to copy";
    }
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  };
  const button = el("button", { type: "button", class: "button small", on: { click: copy } }, label);
  return button;
}
