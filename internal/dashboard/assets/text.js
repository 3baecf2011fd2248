// Text as it is shown. Characters that would change how the text around them is displayed are
// written out instead of obeyed.

// Controls, zero-width and bidirectional formatting characters, line and paragraph separators,
// byte order mark, tags, and unpaired surrogates.
const hidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

const escaped = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;

/** Text for a block that keeps line breaks and tabs. */
export function visible(text) {
  return String(text).replace(/\r\n/g, '\n').replace(/\r/g, '\\r').replace(hidden, escaped);
}

/** Text for one line. */
export function visibleLine(text) {
  return String(text).replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t').replace(hidden, escaped);
}

/** The start of a text. The result does not keep the whole text in memory, as a slice would. */
export function start(text, length) {
  if (text.length <= length) return text;
  let cut = text.slice(0, length);
  if (/[\ud800-\udbff]$/.test(cut)) cut = cut.slice(0, -1);
  return JSON.parse(JSON.stringify(cut)) + '…';
}

const numbers = new Intl.NumberFormat('en');

/** A count with separators. */
export const count = (n) => numbers.format(n);

/** A count in few characters: 1234567 is 1.2M. */
export function shortCount(n) {
  for (const [unit, suffix] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (n >= unit) {
      const scaled = n / (suffix === 'k' ? 1e3 : unit);
      return (scaled < 100 ? scaled.toFixed(1).replace(/\.0$/, '') : Math.round(scaled)) + suffix;
    }
  }
  return Number.isInteger(n) ? count(n) : n < 10 ? n.toFixed(1) : count(Math.round(n));
}

/** A size with a binary unit. */
export function bytes(n) {
  let unit = 0;
  for (; n >= 1024 && unit < 5; unit++) n /= 1024;
  return `${unit && n < 10 ? n.toFixed(1) : Math.round(n)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`;
}

/** "1 event", "2 events". */
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
