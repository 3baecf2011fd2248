// The numbers beside the events: over time, and by value.

import { getExpensive, Problem } from './api.js';
import { poll } from './live.js';
import { bounds, interval } from './range.js';
import { seriesOf } from './series.js';
import { usePrefs, useState, useTask } from './ui.js';

const buckets = 90;
const refreshEvery = 10_000;
const facetsEvery = 60_000; // counting fields opens the events

/** Counts over time, and per event type and source, asked for again now and then. */
export function useCounts(filter, setNames, oldest) {
  const { by } = usePrefs();
  const [state, setState] = useState({ facets: [] });
  useTask(async (signal) => {
    setState((old) => ({ ...old, loading: true }));
    await poll(refreshEvery, signal, async () => {
      const query = new URLSearchParams(filter);
      const range = bounds(query, Date.now(), oldest && Date.parse(oldest));
      if (!range) return;
      try {
        const step = interval(range, buckets);
        const ask = (dimension, without, length) => {
          const q = new URLSearchParams([...query].filter(([name]) => name !== without));
          q.set('by', dimension);
          if (length) q.set('interval', length);
          return getExpensive('/counts', q, { signal });
        };
        const data = await overTime(ask, by, step);
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error: null, range, seconds: step.seconds, data: seriesOf(data, range, step.seconds), by: data.by }));
        const types = await ask('event_type', 'event_type');
        const sources = await ask('source', 'source');
        if (signal.aborted) return;
        const facets = [facetOf('event_type', 'Event type', types), facetOf('source', 'Source', sources)];
        setNames({ types: facets[0].values.map((v) => v.value), sources: facets[1].values.map((v) => v.value) });
        setState((old) => ({ ...old, facets }));
      } catch (error) {
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error }));
      }
    });
  }, [filter, by, oldest === undefined]);
  return state;
}

/** Counts per severity and per chosen field of the data. */
export function useFieldFacets(shown, filter, fields) {
  const [facets, setFacets] = useState([]);
  useTask((signal) => shown && poll(facetsEvery, signal, async () => {
    const query = new URLSearchParams(filter);
    query.set('by', ['severity', ...fields.map((field) => `data.${field}`)].join(','));
    query.set('limit', '50');
    try {
      const { facets: list, partial } = await getExpensive('/facets', query, { signal });
      if (!signal.aborted) setFacets(list.map((facet) => ({ ...labelled(facet), partial })).filter((f) => f.name !== 'severity' || f.values.length));
    } catch (error) {
      if (!signal.aborted) setFacets([]); // what is wrong is said by the list, which asks the same
    }
  }), [shown, filter, fields.join()]);
  return facets;
}

/** A facet of the API; severities are chosen by the lowest. */
function labelled({ by, values }) {
  if (by !== 'severity') return { name: by, label: by.replace(/^data\./, ''), values };
  return { name: by, label: 'Severity, at least', values: atLeast(values) };
}

/** Counts that add up those of higher severities. */
function atLeast(values) {
  let sum = 0;
  return ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'].flatMap((name) => {
    const count = values.find((v) => v.value === name)?.count;
    if (!count) return [];
    sum += count;
    return [{ value: name.toLowerCase(), count: sum }];
  });
}

/** Counts over time; by category where there are too many event types for the answer. */
async function overTime(ask, by, step) {
  try {
    return await ask(by, '', step.text);
  } catch (error) {
    if (by !== 'event_type' || !(error instanceof Problem) || error.parameter !== 'interval') throw error;
    return ask('category', '', step.text);
  }
}

const facetOf = (name, label, answer) => ({
  name, label, values: answer.buckets.map((b) => ({ value: b[name] ?? '', count: b.count })).sort((a, b) => b.count - a.count),
});
