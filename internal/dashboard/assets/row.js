// What the list keeps of an event: enough to show a line, bounded whatever the event holds.

import { ExactNumber } from './json.js';
import { start, visibleLine } from './text.js';

const previewLength = 240;
const nameLength = 200;

/** The line of an event as the API sends it. */
export function rowOf(event) {
  const metadata = event.metadata ?? {};
  return {
    cursor: event.cursor,
    id: start(event.event_id, 200),
    timestamp: event.timestamp,
    type: start(event.event_type, nameLength),
    source: start(event.source, nameLength),
    severity: Number(metadata.severity_number) || 0,
    severityText: start(String(metadata.severity ?? ''), 20),
    preview: preview(event.data),
  };
}

/** The line of events that went away before they were read. */
export const gapOf = (gap, key) => ({ cursor: `gap ${key}`, gap });

/** Data in one line: key=value, maps by dotted keys. */
export function preview(data) {
  let text = '';
  const add = (path, value) => {
    if (text.length >= previewLength) return;
    if (value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof ExactNumber)) {
      for (const key of Object.keys(value)) add(path ? `${path}.${key}` : key, value[key]);
      return;
    }
    text += `${text && '  '}${start(path, 80)}=${short(value)}`;
  };
  add('', data ?? {});
  return visibleLine(start(text, previewLength));
}

function short(value) {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) && value.length < 100 ? value : JSON.stringify(start(value, 120));
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(short).join(',')}${value.length > 8 ? ',…' : ''}]`;
  if (value !== null && typeof value === 'object' && !(value instanceof ExactNumber)) return '{…}';
  return String(value);
}

/** The severity's short name by OpenTelemetry's numbers; "" without one. */
export function severityName(number) {
  return number ? ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][Math.min(5, Math.floor((number - 1) / 4))] : '';
}

/** The class of a severity: how loud it is shown. */
export function loudness(number) {
  if (number >= 17) return 'bad';
  if (number >= 13) return 'warn';
  return number && number < 9 ? 'quiet' : '';
}
