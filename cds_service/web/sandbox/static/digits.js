// Reads and writes JSON without losing digits: a result that a laboratory printed as 0.70 stays 0.70.

const TRAILING_ZERO = /\.\d*0\s*[,\]}]|\d[eE][+-]?\d/;

/**
 * Parse JSON; a number that JavaScript would write differently is kept as it stands, where the browser can.
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  if (!("rawJSON" in JSON) || !TRAILING_ZERO.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_name, value, context) =>
    typeof value === "number" && context.source !== String(value) ? JSON.rawJSON(context.source) : value,
  );
}

/** Return a number as it was written. @param {any} value @returns {string} */
export function digits(value) {
  return JSON.isRawJSON?.(value) ? value.rawJSON : String(value);
}

/** Return a number for a text that a person typed, digits kept; null where it is none. @param {string} text @returns {any} */
export function typedNumber(text) {
  const plain = text.trim().replace(",", ".");
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(plain)) return null;
  return String(Number(plain)) === plain || !("rawJSON" in JSON) ? Number(plain) : JSON.rawJSON(plain);
}
