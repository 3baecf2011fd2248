// The definition of a consumer, from what someone typed.

const lists = ['event_type', 'source'];
const numbers = ['max_deliver', 'max_in_flight'];

/** What PUT takes: fields that are empty are the server's choice, and what is no number is left for it to refuse. */
export function definitionOf(text) {
  const definition = {};
  for (const [name, value] of Object.entries(text)) {
    if (!value || name === 'name') continue;
    if (lists.includes(name)) definition[name] = value.split(',').map((one) => one.trim()).filter(Boolean);
    else definition[name] = numbers.includes(name) && /^\d+$/.test(value) ? Number(value) : value;
  }
  return definition;
}

const limits = ['ack_wait', 'max_deliver', 'max_in_flight', 'expires_after'];

/** A definition with other limits; one that is missing is the server's choice. */
export function withLimits(definition, other) {
  const next = Object.fromEntries(Object.entries(definition).filter(([name]) => !limits.includes(name)));
  for (const name of limits) if (other[name] !== undefined) next[name] = other[name];
  return next;
}
