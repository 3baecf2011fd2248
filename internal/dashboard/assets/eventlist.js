// The events of the list, the newest first, bounded in memory: what it drops can be loaded
// again, since every event has a cursor.

import { gapOf, rowOf } from './row.js';

/** How many rows stay while new events come in on top. */
export const liveRows = 2000;

/** How many rows scrolling loads before it asks for a narrower range. */
export const mostRows = 200_000;

export class EventList {
  rows = [];
  /** The cursor after which older events are, while more is set. */
  older = '';
  more = true;
  /** False while someone reads and new events wait. */
  following = true;
  /** How many events wait. */
  waiting = 0;

  #arrived = []; // rows, the oldest first, that are not in rows yet
  #lost = false; // some of those that wait are only counted
  #gaps = 0;

  /** Takes a page with order=desc. */
  addPage(page) {
    const rows = page.events.map(rowOf);
    if (page.gap) rows.push(gapOf(page.gap, this.#gaps++));
    this.rows = this.rows.concat(rows);
    this.older = page.next;
    this.more = page.more;
  }

  /** Takes lines of a stream, the oldest first: events, gaps, and failures, which are skipped. */
  receive(items) {
    const lines = items.filter((item) => item.cursor || item.gap).map((item) => (item.gap ? gapOf(item.gap, this.#gaps++) : rowOf(item)));
    this.#arrived = this.#arrived.concat(lines);
    if (!this.following) this.waiting += lines.length;
    if (this.#arrived.length > liveRows) {
      this.#arrived = this.#arrived.slice(-liveRows);
      this.#lost = true;
    }
  }

  /** Puts what arrived on top. Returns whether rows changed. */
  flush() {
    if (!this.following || !this.#arrived.length) return false;
    const fresh = this.#arrived.reverse();
    // After a burst the rows below would not be the neighbours of those on top.
    this.rows = this.#lost ? fresh : fresh.concat(this.rows);
    this.#cut();
    this.#arrived = [];
    this.#lost = false;
    this.waiting = 0;
    return true;
  }

  #cut() {
    if (!this.#lost && this.rows.length <= liveRows) return;
    this.rows = this.rows.slice(0, liveRows);
    const oldest = this.rows.findLast((row) => !row.gap);
    if (!oldest) return;
    this.older = oldest.cursor;
    this.more = true;
  }
}
