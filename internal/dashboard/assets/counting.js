// The numbers beside the events: over time, and by value.

import { getExpensive, Problem } from './api.js';
import { poll } from './live.js';
import { bounds, interval } from './range.js';
import { seriesOf } from './series.js';
import { usePrefs, useState, useTask } from './ui.js';

const buckets = 90;
const refreshEvery = 10_000;
const facetsEvery = 60_000; // counting fields opens the events

/** Counts over time, and per event type, source and severity, asked for again now and then. */
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
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error: null, range, seconds: step.seconds, data: seriesOf(data, range, step.seconds), partial: data.partial && data }));
        const types = await ask('event_type', 'event_type');
        const sources = await ask('source', 'source');
        const severities = await ask('severity', 'min_severity');
        if (signal.aborted) return;
        const facets = [facetOf('event_type', 'Event type', types), facetOf('source', 'Source', sources), ...severityFacet(severities)];
        setNames({ types: facets[0].values.map((v) => v.value), sources: facets[1].values.map((v) => v.value) });
        setState((old) => ({ ...old, facets }));
      } catch (error) {
        if (!signal.aborted) setState((old) => ({ ...old, loading: false, error }));
      }
    });
  }, [filter, by, oldest === undefined]);
  return state;
}

/** Counts per chosen field of the data. */
export function useFieldFacets(shown, filter, fields) {
  const [facets, setFacets] = useState([]);
  useTask((signal) => shown && fields.length > 0 && poll(facetsEvery, signal, async () => {
    const query = new URLSearchParams(filter);
    query.set('by', fields.map((field) => `data.${field}`).join(','));
    query.set('limit', '50');
    try {
      const { facets: list, partial } = await getExpensive('/facets', query, { signal });
      if (!signal.aborted) setFacets(list.map(({ by, values }) => ({ name: by, label: by.replace(/^data\./, ''), values, partial })));
    } catch (error) {
      if (!signal.aborted) setFacets([]); // what is wrong is said by the list, which asks the same
    }
  }), [shown, filter, fields.join()]);
  return fields.length ? facets : [];
}

/** Severities, chosen by the lowest, so that counts add up those of higher ones; none where no event has one. */
function severityFacet({ buckets }) {
  let sum = 0;
  const values = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'].flatMap((name) => {
    const count = buckets.find((b) => b.severity === name)?.count;
    if (!count) return [];
    sum += count;
    return [{ value: name.toLowerCase(), count: sum }];
  });
  return values.length ? [{ name: 'severity', label: 'Severity, at least', values }] : [];
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
