// What someone prefers, kept in the browser.

const defaults = { theme: 'system', utc: false, by: 'event_type', facets: true, fields: [] };

function load() {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem('isbl-telemetry') ?? '{}') };
  } catch {
    return { ...defaults }; // storage is blocked, or holds something else
  }
}

export const prefs = load();
const listeners = new Set();

/** Changes preferences and tells the listeners. */
export function setPrefs(change) {
  Object.assign(prefs, change);
  try {
    localStorage.setItem('isbl-telemetry', JSON.stringify(prefs));
  } catch { /* storage is blocked: they last as long as the page */ }
  apply();
  for (const listener of listeners) listener();
}

/** Calls listener at each change, until the returned function is called. */
export function onPrefs(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply() {
  document.documentElement.dataset.theme = prefs.theme;
}

apply();
