// The view of a trace: its events on a time line, by source.

import { getExpensive } from './api.js';
import { Detail } from './detail.js';
import { holds } from './list.js';
import { excluding, withFilter } from './filter.js';
import { go } from './route.js';
import { loudness, rowOf } from './row.js';
import { lanes } from './lanes.js';
import { plural, visible, visibleLine } from './text.js';
import { Empty, Time, Trouble, html, useEffect, useState, useTask } from './ui.js';

const most = 1000;

export function TraceView({ query, setError }) {
  const id = query.get('trace_id') ?? '';
  const [state, setState] = useState({});
  const [chosen, setChosen] = useState(null);
  useEffect(() => setError(null), [id]);
  useTask(async (signal) => {
    setChosen(null);
    setState({});
    if (!id) return;
    try {
      const rows = [];
      let page = { more: true };
      while (page.more && rows.length < most) {
        const q = new URLSearchParams({ trace_id: id, limit: String(most) });
        if (page.next) q.set('after', page.next);
        page = await getExpensive('/events', q, { signal });
        rows.push(...page.events.map((event) => ({ ...rowOf(event), span: event.metadata.span_id ?? '' })));
        setState({ trace: lanes(rows), partial: page.more });
      }
    } catch (error) {
      if (!signal.aborted) setState((old) => ({ ...old, error }));
    }
  }, [id]);
  useEffect(() => {
    const onKey = (e) => e.key === 'Escape' && setChosen(null);
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const { trace, error, partial } = state;
  const [term, search] = useState('');
  const word = term.trim().toLowerCase();
  const rows = trace && (word ? trace.rows.filter((row) => holds(row, word)) : trace.rows);
  const change = (next) => go({ view: 'events', query: next });
  const base = new URLSearchParams({ trace_id: id });
  return html`<div class=${`traceview ${chosen ? 'with-detail' : ''}`}><div class="page">
    <form class="inline" onSubmit=${(e) => { e.preventDefault(); go({ view: 'trace', query: new URLSearchParams({ trace_id: e.target.elements.trace.value.trim() }) }); }}>
      <label class="field grow"><span>Trace id</span><input name="trace" id="trace" value=${id} placeholder="32 hexadecimal digits" spellcheck="false" autocomplete="off" /></label>
      <button type="submit" class="primary">Show</button>
      <input id="find" class="find" type="search" aria-label="Find in the rows shown" placeholder="Find in rows" value=${term} onInput=${(e) => search(e.target.value)} spellcheck="false" />
    </form>
    <${Trouble} error=${error} />
    ${!id && html`<${Empty} title="No trace chosen"><p>Paste a trace id, or open an event that belongs to one and choose “All of this trace”.</p></${Empty}>`}
    ${id && !trace && !error && html`<p class="end" role="status">Loading…</p>`}
    ${trace && !trace.rows.length && !partial && html`<${Empty} title="No events of this trace are kept"></${Empty}>`}
    ${trace && trace.rows.length > 0 && html`
      <p class="quiet">${plural(trace.rows.length, 'event')} of ${plural(trace.sources.length, 'source')} in ${trace.length}, from <${Time} value=${trace.rows[0].timestamp} date=${true} />
        ${partial && ' (the first ones; there are more)'}</p>
      <ol class="timeline">${rows.map((row) => html`<li key=${row.cursor}>
        <button type="button" class=${`${loudness(row.severity)} ${chosen?.cursor === row.cursor ? 'chosen' : ''}`} onClick=${() => setChosen(row)}>
          <span class="offset">${row.offset}</span>
          <span class="source" title=${visible(row.source)}><i style=${{ background: `var(--series-${row.lane % 8})` }}></i>${visibleLine(row.source)}</span>
          <span class="type">${visibleLine(row.type)}</span>
          <span class="track"><i style=${{ left: `${row.at * 100}%`, background: `var(--series-${row.lane % 8})` }}></i></span>
          <span class="data">${row.preview}</span>
        </button></li>`)}</ol>`}
    </div>
    ${chosen && html`<${Detail} row=${chosen} close=${() => setChosen(null)} go=${(view, next) => go({ view, query: next })}
      include=${(name, value) => change(withFilter(base, name, value))} exclude=${(name, value, path) => change(withFilter(base, 'where', excluding(name, value, path)))} />`}
  </div>`;
}
