// The events of the view: a first page, older ones on demand, and what arrives.

import { get, getExpensive, Problem } from './api.js';
import { EventList } from './eventlist.js';
import { follow, pause } from './live.js';
import { explain, useMemo, useState, useTask } from './ui.js';

const firstPage = 200; // events, quickly there
const drawEvery = 100; // milliseconds between two drawings of what arrives: nobody reads faster
const laterPages = 1000; // events at most
const pageLength = 1_000_000; // characters of a later page, about: parsing them must not hold up the page

/** The events of a filter, live unless its range has an end. */
export function useLog(filter, setError, setConnection) {
  const [, redraw] = useState(0);
  const [started, setStarted] = useState(0);
  const api = useMemo(() => {
    const list = new EventList();
    const log = { list, loading: true, failed: null, top: true, paused: false, live: false, scheduled: false, drawn: 0 };
    const draw = () => redraw((n) => n + 1);
    const schedule = () => {
      if (log.scheduled) return;
      log.scheduled = true;
      const show = () => requestAnimationFrame(() => {
        log.scheduled = false;
        log.drawn = performance.now();
        list.flush();
        draw();
      });
      const wait = log.drawn + drawEvery - performance.now();
      if (wait > 0) setTimeout(show, wait);
      else show();
    };
    const settle = () => {
      const following = log.top && !log.paused;
      if (following === list.following) return;
      list.following = following;
      schedule();
    };
    log.setTop = (top) => {
      log.top = top;
      settle();
    };
    log.setPaused = (paused) => {
      log.paused = paused;
      settle();
      draw();
    };
    log.receive = (items) => {
      list.receive(items);
      schedule();
    };
    log.loadOlder = async () => {
      if (log.loading || !list.more || !log.signal || log.signal.aborted) return;
      log.loading = true;
      draw();
      await loadPage(log, filter);
      draw();
    };
    log.restart = () => setStarted((n) => n + 1);
    return log;
  }, [filter, started]);
  useTask(async (signal) => {
    api.signal = signal;
    setError(null);
    const live = !new URLSearchParams(filter).has('until');
    try {
      // What comes after this place is followed, so nothing falls between the page and the stream.
      const end = live && (await get('/events', 'from=now&limit=1', { signal })).next;
      await loadPage(api, filter, true);
      redraw((n) => n + 1);
      if (signal.aborted) return;
      if (!live) {
        setConnection('done');
        return;
      }
      api.live = true;
      await follow(filter, api.list.rows.find((row) => !row.gap)?.cursor ?? end, { signal, receive: api.receive, state: setConnection });
    } catch (error) {
      if (signal.aborted) return;
      api.loading = false;
      api.failed = error;
      api.list.more = false;
      if (error instanceof Problem) {
        setError(explain(error));
        setConnection('wrong');
        redraw((n) => n + 1);
        return;
      }
      setConnection('connecting');
      await pause(2000, signal);
      if (!signal.aborted) api.restart();
    }
  }, [filter, started]);
  return api;
}

const pageOf = (perEvent = 0) => Math.max(20, Math.min(laterPages, Math.round(pageLength / perEvent)));

/** Loads the next older page, and further ones while they are empty. With thrown, errors are the caller's. */
async function loadPage(log, filter, thrown = false) {
  const { signal, list } = log;
  try {
    for (;;) {
      const query = new URLSearchParams(filter);
      query.set('order', 'desc');
      query.set('limit', list.older ? pageOf(log.perEvent) : firstPage);
      if (list.older) query.set('after', list.older);
      let length = 0;
      const page = await getExpensive('/events', query, { signal, sized: (n) => { length = n; } });
      if (page.events.length) log.perEvent = length / page.events.length;
      list.addPage(page);
      if (page.where_errors) log.whereErrors = page.where_errors;
      if (page.events.length || !page.more) break;
    }
    log.failed = null;
  } catch (error) {
    if (thrown) throw error;
    if (!signal.aborted) log.failed = error;
  } finally {
    log.loading = false;
  }
}
