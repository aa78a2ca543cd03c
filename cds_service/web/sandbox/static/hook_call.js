// Composes hook calls as an EHR would, and says what became of feedback.

/** Return a random UUID (version 4), also where the page is not served from a secure address. @returns {string} */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

/**
 * Return the body of a hook call with the prefetch that the service asked for.
 * @param {any} service as it was discovered
 * @param {import("./chart.js").Chart} chart
 * @param {any} recorded the Condition that was recorded; null where the chart is only viewed
 * @param {string|null} asOf the moment to decide at; null for now
 */
export function hookRequest(service, chart, recorded, asOf) {
  return {
    hook: service.hook,
    hookInstance: uuid(),
    ...(chart.fhirServer ? { fhirServer: chart.fhirServer } : {}),
    ...(chart.accessToken ? { fhirAuthorization: authorization(chart.accessToken) } : {}),
    context: {
      userId: "Practitioner/sandbox",
      patientId: chart.patientId,
      ...(chart.encounterId ? { encounterId: chart.encounterId } : {}),
      ...(recorded ? { conditions: { resourceType: "Bundle", type: "collection", entry: [{ resource: recorded }] } } : {}),
    },
    prefetch: chart.prefetch(service.prefetch ?? {}),
    ...(asOf ? { extension: { "org.spasm-cds.as-of": asOf } } : {}),
  };
}

/** @param {string} token */
function authorization(token) {
  return { access_token: token, token_type: "Bearer", expires_in: 300, scope: "patient/*.read", subject: "sandbox" };
}

/** Return what is told of feedback; null stands for none sent. @param {import("./service.js").Exchange|null} exchange */
export function feedbackText(exchange) {
  if (exchange === null) return "No feedback sent: the card has no id.";
  if (exchange.status === 200) return "Feedback sent.";
  if (exchange.status === 404 || exchange.status === 405) return "Feedback not stored: this service keeps none.";
  return `Feedback not stored (${exchange.status || "no answer"}).`;
}
