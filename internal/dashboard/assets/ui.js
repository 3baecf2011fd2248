// What every view builds with: Preact and htm, and a few hooks and elements.

import { createElement, render } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import htm from 'htm';

import { Problem } from './api.js';
import { onPrefs, prefs } from './prefs.js';
import { full, parts } from './time.js';
import { visible, visibleLine } from './text.js';

const html = htm.bind(createElement);

export { html, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** Draws the component again when preferences change. */
export function usePrefs() {
  const [, redraw] = useState(0);
  useEffect(() => onPrefs(() => redraw((n) => n + 1)), []);
  return prefs;
}

/** Runs task(signal) when deps change; the signal is aborted at the next change and at the end. */
export function useTask(task, deps) {
  useEffect(() => {
    const stop = new AbortController();
    Promise.resolve(task(stop.signal)).catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
    return () => stop.abort();
  }, deps);
}

/** What a person is told about an error: a text, and the parameter or the field of the body at fault. */
export function explain(error) {
  if (error instanceof Problem) return { text: error.message, parameter: error.parameter, field: error.parameter || error.pointer.split('/')[1] || '' };
  return { text: 'The server does not answer. The page tries again by itself.', parameter: '', field: '' };
}

/** A time, with the whole of it as its title. */
export function Time({ value, digits = 3, date = false }) {
  const p = parts(value, prefs.utc, digits);
  return html`<time datetime=${value} title=${`${full(value, prefs.utc)}\n${value}`}>
    ${date && html`<span class="date">${p.date} </span>`}${p.time}</time>`;
}

/** Text of an event on one line. */
export const Line = ({ text }) => html`<span title=${visible(text)}>${visibleLine(text)}</span>`;

/** A button that copies text and says so. */
export function Copy({ text, label = 'Copy', title }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await writeClipboard(typeof text === 'function' ? await text() : text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button type="button" class="small" onClick=${copy} title=${title} aria-live="polite">${done ? 'Copied' : label}</button>`;
}

// The clipboard API is missing where a page came over plain HTTP from another machine.
async function writeClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  return undefined;
}

/** A button that asks a second time before it acts. */
export function Sure({ text, question = `${text}: sure?`, act }) {
  const [asked, setAsked] = useState(false);
  return html`<button type="button" class=${`small ${asked ? 'danger' : ''}`} aria-live="polite" onBlur=${() => setAsked(false)}
    onClick=${() => { if (asked) act(); setAsked(!asked); }}>${asked ? question : text}</button>`;
}

/** A message in place of something that is not there. */
export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2>${children}</div>`;

/** A message about something that went wrong. */
export const Trouble = ({ error }) => error && html`<p class="trouble" role="alert">${explain(error).text}</p>`;
