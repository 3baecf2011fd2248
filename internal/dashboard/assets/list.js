// The list of events: only the rows that are seen are in the document.

import { plural, visible, visibleLine } from './text.js';
import { prefs } from './prefs.js';
import { zone } from './time.js';
import { Time, html, useEffect, useLayoutEffect, useRef, useState } from './ui.js';
import { loudness, severityName } from './row.js';

const beyond = 10; // rows drawn above and below what is seen

/**
 * rows are the newest first, selected is a cursor. open gets a row; atEnd is called when its end is
 * near; scrolled gets whether the top is seen.
 */
export function List({ rows, selected, open, atEnd, scrolled, term, status, control }) {
  const scroller = useRef(null);
  const grid = useRef(null);
  const [view, setView] = useState({ top: 0, height: 800, row: 27 });
  const first = Math.max(0, Math.floor(view.top / view.row) - beyond);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.row) + beyond);

  const measure = () => {
    const element = scroller.current;
    if (!element) return;
    const row = parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 27;
    setView((old) => {
      const now = { top: element.scrollTop, height: element.clientHeight, row };
      return old.top === now.top && old.height === now.height && old.row === now.row ? old : now;
    });
    scrolled(element.scrollTop < row / 2);
  };
  useLayoutEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (last >= rows.length - 2 * beyond) atEnd();
  }, [last, rows]);
  control.current = {
    toTop: () => scroller.current?.scrollTo({ top: 0 }),
    reveal(index) {
      const element = scroller.current;
      const top = index * view.row;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + view.row > element.scrollTop + element.clientHeight) element.scrollTop = top + view.row - element.clientHeight;
    },
    focus: () => grid.current?.focus({ preventScroll: true }),
  };

  const lines = [];
  const drawn = rows.slice(first, last).some((row) => row.cursor === selected);
  for (let i = first; i < last; i++) {
    lines.push(html`<${Row} key=${rows[i].cursor} row=${rows[i]} index=${i} top=${i * view.row}
      selected=${rows[i].cursor === selected} choose=${open} term=${term} />`);
  }
  return html`
    <div class="listhead" aria-hidden="true"><span>Time ${prefs.utc ? 'UTC' : zone(new Date())}</span><span>Level</span><span>Event type</span><span>Source</span><span>Data</span></div>
    <div class="list" id="list" ref=${scroller} onScroll=${measure}>
      <div class="lines" ref=${grid} tabindex="0" role="grid" aria-label="Events, the newest first" aria-rowcount=${rows.length}
        aria-activedescendant=${drawn ? 'selected-row' : undefined} style=${{ height: `${rows.length * view.row}px` }}>${lines}</div>
      ${status}
    </div>`;
}

function Row({ row, index, top, selected, choose, term }) {
  const place = { transform: `translateY(${top}px)` };
  if (row.gap) {
    return html`<div class="row gap" role="row" aria-rowindex=${index + 1} style=${place}><span role="gridcell">${gapText(row.gap)}</span></div>`;
  }
  const name = row.severityText || severityName(row.severity);
  return html`
    <div class=${`row ${loudness(row.severity)}`} id=${selected ? 'selected-row' : undefined} role="row" aria-rowindex=${index + 1}
      aria-selected=${selected} style=${place} onClick=${() => choose(row)}>
      <span class="time" role="gridcell"><${Time} value=${row.timestamp} date=${true} /></span>
      <span class="severity" role="gridcell" title=${row.severity ? `${visible(name)} (${row.severity})` : ''}>${severityName(row.severity)}</span>
      <span class="type" role="gridcell" title=${visible(row.type)}><${Marked} text=${visibleLine(row.type)} term=${term} /></span>
      <span class="source" role="gridcell" title=${visible(row.source)}><${Marked} text=${visibleLine(row.source)} term=${term} /></span>
      <span class="data" role="gridcell"><${Marked} text=${row.preview} term=${term} /></span>
    </div>`;
}

function gapText(gap) {
  const many = gap.events === undefined ? 'Events' : plural(gap.events, 'event');
  return `${many} went away before they were read: ${gap.reason}`;
}

/** Text with what was searched for marked. */
function Marked({ text, term }) {
  const at = term ? text.toLowerCase().indexOf(term) : -1;
  if (at < 0) return text;
  return html`${text.slice(0, at)}<mark>${text.slice(at, at + term.length)}</mark>${text.slice(at + term.length)}`;
}

/** Whether a row holds a searched term, in lower case. */
export const holds = (row, term) => row.gap !== undefined
  || row.type.toLowerCase().includes(term) || row.preview.toLowerCase().includes(term) || row.source.toLowerCase().includes(term)
  || row.timestamp.includes(term) || row.id.includes(term);
