// The address of a view. What follows # is a call of the API without its prefix, such as
// #/events?since=1h&event_type=user.*, so that a link is a saved filter.

import { defaultSince } from './range.js';

export const views = ['events', 'types', 'trace', 'consumers', 'alerts', 'system'];

/** The route of a location's hash. Links of earlier versions were the query alone. */
export function parseRoute(hash) {
  const text = hash.replace(/^#/, '');
  const [, path, query] = /^\/([^?]*)\??(.*)$/s.exec(text) ?? [null, '', text];
  const view = views.includes(path) ? path : 'events';
  const route = { view, query: new URLSearchParams(query) };
  if (!text) route.query.set('since', defaultSince);
  return route;
}

/** The hash of a route; parseRoute's inverse. */
export function formatRoute({ view, query }) {
  // Stars, commas and the like stay readable.
  const text = query.toString().replace(/%(2A|2C|3A|2F)/gi, decodeURIComponent);
  return `#/${view}${text ? `?${text}` : '?'}`;
}

/** Calls changed with the route at each change. */
export function listen(changed) {
  addEventListener('hashchange', () => changed(parseRoute(location.hash)));
}

/** Goes to a route; "back" leads to the present one unless replace is set. */
export function go(route, replace = false) {
  const hash = formatRoute(route);
  if (hash === location.hash) return;
  if (!replace) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, '', hash);
  dispatchEvent(new HashChangeEvent('hashchange'));
}
