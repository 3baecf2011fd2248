// Times. Event times have nanoseconds and stay the text that the store sent; JavaScript dates
// have milliseconds and are used for what is drawn.

const twoDigits = (n) => String(n).padStart(2, '0');

/** The fraction of a second of an RFC 3339 time, as it was stored: "" or ".123456789". */
export const fraction = (timestamp) => /\.\d+/.exec(timestamp)?.[0] ?? '';

/** Milliseconds since 1970 of an RFC 3339 time. */
export const millis = (timestamp) => Date.parse(timestamp.replace(/(\.\d{3})\d+/, '$1'));

/** Nanoseconds since 1970 of an RFC 3339 time, as a BigInt. */
export function nanos(timestamp) {
  const seconds = BigInt(Date.parse(timestamp.replace(/\.\d+/, '')) / 1000);
  return seconds * 1_000_000_000n + BigInt(fraction(timestamp).slice(1).padEnd(9, '0').slice(0, 9));
}

/** The RFC 3339 time, in UTC, of nanoseconds since 1970. */
export function fromNanos(n) {
  let seconds = n / 1_000_000_000n;
  let rest = n % 1_000_000_000n;
  if (rest < 0n) [seconds, rest] = [seconds - 1n, rest + 1_000_000_000n];
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return rest ? `${text}.${String(rest).padStart(9, '0').replace(/0+$/, '')}Z` : `${text}Z`;
}

/** Date and time of day apart; digits says how much of the fraction is shown. */
export function parts(timestamp, utc, digits = 3) {
  const date = new Date(millis(timestamp));
  const get = (name) => date[(utc ? 'getUTC' : 'get') + name]();
  const rest = digits ? fraction(timestamp).padEnd(digits + 1, '0').replace(/^0/, '.0').slice(0, digits + 1) : '';
  return {
    date: `${get('FullYear')}-${twoDigits(get('Month') + 1)}-${twoDigits(get('Date'))}`,
    time: `${twoDigits(get('Hours'))}:${twoDigits(get('Minutes'))}:${twoDigits(get('Seconds'))}${rest}`,
    zone: utc ? 'UTC' : zone(date),
  };
}

/** The offset of the local zone at a date, such as "+01:00". */
export function zone(date) {
  const minutes = -date.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '−' : '+'}${twoDigits(Math.floor(absolute / 60))}:${twoDigits(absolute % 60)}`;
}

/** The whole of a time, with all stored digits. */
export function full(timestamp, utc) {
  const digits = Math.max(3, fraction(timestamp).length - 1);
  const p = parts(timestamp, utc, digits);
  return `${p.date} ${p.time} ${p.zone}`;
}

const units = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];

/** A duration in one or two units: 93 s is "1 m 33 s". */
export function duration(seconds) {
  if (seconds < 1) return seconds <= 0 ? '0 s' : `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10 && seconds % 1) return `${seconds.toFixed(1)} s`;
  let rest = Math.round(seconds);
  const words = [];
  for (const [unit, length] of units) {
    const n = Math.floor(rest / length);
    rest %= length;
    if (n) words.push(`${n} ${unit}`);
    else if (words.length) break;
    if (words.length === 2) break;
  }
  return words.join(' ');
}

/** How long ago a time was. */
export const ago = (timestamp, now = Date.now()) => `${duration(Math.max(0, Math.floor((now - millis(timestamp)) / 1000)))} ago`;
