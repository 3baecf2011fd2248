// What bounds the store, and when it will be full.

import { millis } from './time.js';

const minuteOfRate = 60; // seconds of a process before its average rate says something

/**
 * The limits of GET /stats in effect: of each its name, what is used, the limit, the share, and the seconds until it is
 * reached at the average rate since the process started (undefined where that is not known, 0 where it is reached).
 */
export function limitsOf(stats, now) {
  const { store, uptime_seconds: uptime } = stats;
  const { retention } = store;
  const perSecond = uptime > minuteOfRate ? store.stored / uptime : 0;
  const until = (left, rate) => (left <= 0 ? 0 : rate > 0 ? left / rate : undefined);
  const list = [];
  if (retention.max_bytes) {
    const perEvent = store.events ? store.bytes / store.events : 0;
    // Blocks go as a whole, so a full store stays somewhat below its limit.
    const left = store.bytes > 0.97 * retention.max_bytes || store.evicted > 0 ? 0 : retention.max_bytes - store.bytes;
    list.push({ name: 'max_bytes', used: store.bytes, limit: retention.max_bytes, until: until(left, perSecond * perEvent) });
  }
  if (retention.max_events) list.push({ name: 'max_events', used: store.events, limit: retention.max_events, until: until(retention.max_events - store.events, perSecond) });
  if (retention.max_age_seconds) {
    const age = store.oldest ? Math.max(0, (now - millis(store.oldest.timestamp)) / 1000) : 0;
    list.push({ name: 'max_age', used: age, limit: retention.max_age_seconds, until: store.oldest ? Math.max(0, retention.max_age_seconds - age) : undefined });
  }
  return list.map((one) => ({ ...one, share: Math.min(1, one.used / one.limit) }));
}
