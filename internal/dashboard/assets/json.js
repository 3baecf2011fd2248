// JSON with exact numbers. JSON.parse rounds integers beyond 2^53 and forgets how a number was
// written; events hold 64-bit integers, which must be shown as they were stored.

/** A number whose JavaScript value would be written differently. */
export class ExactNumber {
  constructor(text) {
    this.text = text;
  }
  toString() {
    return this.text;
  }
}

// Strings come first, so that digits inside of them are not taken for numbers.
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// The key of an object that stands for a number while JSON.parse works. No sender can guess it.
const marker = `exact ${Math.random()}`;

/** Parses JSON; numbers that JavaScript cannot hold exactly become ExactNumber. */
export function parse(text) {
  const exact = [];
  const marked = text.replace(tokens, (token) => {
    if (token[0] === '"' || String(Number(token)) === token) return token;
    return `{"${marker}":${exact.push(token) - 1}}`;
  });
  if (!exact.length) return JSON.parse(text);
  return JSON.parse(marked, (_, value) => {
    const index = value && typeof value === 'object' ? value[marker] : undefined;
    return index === undefined ? value : new ExactNumber(exact[index]);
  });
}

/** Writes what parse returned, with the same numbers. */
export function stringify(value, indent = '', space = '') {
  if (value instanceof ExactNumber) return value.text;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = indent + space;
  const list = Array.isArray(value)
    ? value.map((v) => stringify(v, inner, space))
    : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${space && ' '}${stringify(v, inner, space)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (!list.length) return open + close;
  return space ? `${open}\n${inner}${list.join(`,\n${inner}`)}\n${indent}${close}` : open + list.join(',') + close;
}

/** The kind of a value as the store names it. */
export function kind(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof ExactNumber || typeof value === 'number') return 'number';
  return typeof value === 'object' ? 'map' : typeof value;
}
