// The filter: the API's own query parameters. Views add theirs when they ask.

/** Parameters that choose events, in the order in which they are shown. */
const named = ['event_type', 'source', 'min_severity', 'event_id', 'trace_id', 'text', 'where'];
const range = ['since', 'until'];

const isFilter = (name) => named.includes(name) || range.includes(name) || name.startsWith('data.');

/** The parameters of a query that choose events, lists with commas taken apart and cleaned. */
export function filterOf(query) {
  const filter = new URLSearchParams();
  for (const [name, value] of query) if (isFilter(name) && value) filter.append(name, value);
  return filter;
}

/** Filters that are shown as chips: everything but the range. */
export function chips(query) {
  const list = [];
  for (const [name, value] of query) if (isFilter(name) && !range.includes(name)) list.push({ name, value });
  const rank = ({ name }) => (named.includes(name) ? named.indexOf(name) : named.length);
  return list.sort((a, b) => rank(a) - rank(b));
}

/** A query with a filter more. Patterns of types and sources add up in one list. */
export function withFilter(query, name, value) {
  const next = new URLSearchParams(query);
  if (next.getAll(name).includes(value)) return next;
  // where may be given once; its conditions are joined.
  if (name === 'where' && next.get('where')) next.set('where', and(next.get('where'), value));
  else if (name === 'text' && next.get('text')) next.set('text', `${next.get('text')} ${value}`);
  else if (name === 'min_severity') next.set(name, value);
  else next.append(name, value);
  return next;
}

/** A query without one filter. */
export function withoutFilter(query, name, value) {
  const next = new URLSearchParams();
  for (const [n, v] of query) if (n !== name || v !== value) next.append(n, v);
  return next;
}

const and = (a, b) => `${/\bor\b/i.test(a) ? `(${a})` : a} and ${/\bor\b/i.test(b) ? `(${b})` : b}`;

/** A string as OTTL writes it. */
export const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;

/** The pattern that covers a name alone, as eventtype.Quote writes it. */
const exactly = (name) => name.replace(/[*,\\[(+]|^[\^/]|[$/]$/g, '\\$&');

/** The filter that chooses a value: severities are chosen by the lowest, types and sources by pattern, ids in a list. */
export function including(name, value) {
  if (name === 'severity') return ['min_severity', value];
  if (name === 'category') return ['event_type', `${exactly(value)}.*`];
  if (name === 'event_type' || name === 'source') return [name, exactly(value)];
  return [name, name === 'event_id' ? value.replace(/[,\\]/g, '\\$&') : value];
}

/** The elements of a list with commas. */
export const elements = (list) => list.match(/(?:\\.|[^,\\])+/gs) ?? [];

const severities = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

/** The condition that chooses events of exactly one severity; "" is those without one. */
export function ofSeverity(name) {
  const lowest = severities[name.toLowerCase()];
  return lowest ? `severity_number >= ${lowest} and severity_number < ${lowest + 4}` : 'severity_number == 0';
}

/**
 * The condition that leaves events with a value out. The path of data is a list of keys. Events that do not have the key stay.
 */
export function excluding(name, value, path) {
  if (name === 'category') return `event_name != ${quoted(value)} and not HasPrefix(event_name, ${quoted(`${value}.`)})`;
  if (name === 'event_type') return `event_name != ${quoted(value)}`;
  if (name === 'severity') return `not (${ofSeverity(value)})`;
  if (name === 'source') return `Source() != ${quoted(value)}`;
  const literal = typeof value === 'string' ? quoted(value) : value === null ? 'nil' : String(value);
  return `attributes${path.map((key) => `[${quoted(key)}]`).join('')} != ${literal}`;
}

/**
 * What someone typed into the filter: key=value, words to search, or a condition. Returns [name, value], or undefined for nothing.
 * A word with a dot or a star is an event type; other words are data keys without a value, which nothing can match.
 */
export function typed(text) {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  const [, name, value] = /^([^=!<>"'()[\]]+)=([^=].*)$/s.exec(trimmed) ?? [];
  if (name) {
    const key = name.trim();
    const known = named.includes(key) || range.includes(key) || key.startsWith('data.');
    return [known ? key : `data.${key}`, unquoted(value.trim())];
  }
  if (/^[0-9a-f]{32}$/i.test(trimmed)) return ['trace_id', trimmed.toLowerCase()];
  if (/^[\w.*:/-]+$/.test(trimmed)) return ['event_type', trimmed];
  if (/^"[^"]*"$/.test(trimmed)) return ['text', trimmed.slice(1, -1)];
  if (/^[\p{L}\p{N}]+\*?(\s+[\p{L}\p{N}]+\*?)*$/u.test(trimmed) && !/\s(and|or)\s/.test(trimmed)) return ['text', trimmed];
  return ['where', trimmed];
}

const unquoted = (text) => (/^"(?:[^"\\]|\\.)*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text);
