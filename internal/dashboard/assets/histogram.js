// The histogram of events over time. Dragging over it chooses a range.

import uPlot from 'uplot';

import { usePrefs, html, useEffect, useRef } from './ui.js';
import { Colours, other, stacked } from './series.js';
import { plural, shortCount } from './text.js';
import { parts } from './time.js';

const colours = new Colours();

const severityColours = { FATAL: '--series-3', ERROR: '--bad', WARN: '--series-1', INFO: '--series-2', DEBUG: '--series-6', TRACE: '--series-7', '': '--series-other' };

/** The CSS variable of the colour of each series. */
function colourOf({ series, by }) {
  if (by === 'severity') return (s) => severityColours[s.name];
  const taken = colours.assign(series.filter((s) => s.rest === undefined).map((s) => s.name));
  return (s) => (s.rest === undefined ? `--series-${taken.get(s.name)}` : '--series-other');
}

/** data is of seriesOf; chosen gets a range in milliseconds. */
export function Histogram({ data, seconds, chosen, hovered }) {
  const box = useRef(null);
  const { theme, utc } = usePrefs();
  const shown = useRef();
  useEffect(() => () => shown.current?.destroy(), []);
  useEffect(() => {
    const element = box.current;
    const make = () => {
      shown.current?.destroy();
      shown.current = undefined;
      if (!element.clientWidth) return; // it is not seen now
      shown.current = new uPlot(optionsOf(data, seconds, utc, element, chosen, hovered), valuesOf(data), element);
    };
    // Who drags over a plot goes on with it: the new one comes when the button is up.
    if (element.matches(':active')) addEventListener('mouseup', make, { once: true });
    else make();
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      const plot = shown.current;
      if (!plot || !width) make();
      else if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
    });
    observer.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      observer.disconnect();
      removeEventListener('mouseup', make);
      dark.removeEventListener('change', make);
    };
  }, [data, theme, utc]);
  const most = Math.max(0, ...data.times.map((_, i) => data.series.reduce((sum, s) => sum + s.values[i], 0)));
  return html`<div class="histogram" ref=${box} role="img"
    aria-label=${`Events over time: ${data.total} in all, at most ${most} in ${seconds} s`}></div>`;
}

const valuesOf = (data) => [data.times, ...stacked(data.series).reverse()];

function optionsOf(data, seconds, utc, element, chosen, hovered) {
  const colour = (name) => {
    element.style.color = `var(${name})`; // only a used value has light-dark() resolved
    return getComputedStyle(element).color;
  };
  const variable = colourOf(data);
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  const bars = uPlot.paths.bars({ size: [0.9, 60], align: 1 });
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    tzDate: (t) => (utc ? uPlot.tzDate(new Date(t * 1000), 'Etc/UTC') : new Date(t * 1000)),
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
    scales: {
      x: { range: () => [data.times[0], data.times.at(-1) + seconds] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
    },
    axes: [
      { ...axis, size: 22, space: 100, values: (_, ticks) => ticks.map((t) => tick(t, seconds, utc)) },
      { ...axis, size: 44, space: 28, values: (_, ticks) => ticks.map((n) => (Number.isInteger(n) ? shortCount(n) : '')) },
    ],
    series: [{}, ...data.series.toReversed().map((s) => ({
      label: s.name, fill: colour(variable(s)), stroke: colour(variable(s)), width: 0, paths: bars, points: { show: false },
    }))],
    hooks: {
      setSelect: [(plot) => {
        if (plot.select.width < 3) return;
        const since = Math.round(plot.posToVal(plot.select.left, 'x') * 1000);
        const until = Math.round(plot.posToVal(plot.select.left + plot.select.width, 'x') * 1000);
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        chosen({ since, until: Math.max(until, since + 1) });
      }],
      setCursor: [(plot) => {
        const inside = plot.cursor.left >= 0;
        const at = Math.floor((plot.posToVal(plot.cursor.left, 'x') - data.times[0]) / seconds);
        hovered(inside && at >= 0 && at < data.times.length ? at : null);
      }],
    },
  };
}

/** A time below the histogram: in full days, days with minutes, minutes or seconds. */
function tick(t, seconds, utc) {
  const { date, time } = parts(new Date(t * 1000).toISOString(), utc, 0);
  if (seconds >= 86400) return date;
  if (seconds >= 1800) return `${date.slice(5)} ${time.slice(0, 5)}`;
  return seconds >= 15 ? time.slice(0, 5) : time;
}

const noName = { severity: '(no severity)', source: '(no source)', event_type: '(no type)', category: '(no category)' };

/** The names and numbers below a histogram. With at, the numbers are of one bucket. */
export function Legend({ data, at, include, exclude }) {
  const { utc } = usePrefs();
  const variable = colourOf(data);
  const total = at === null ? data.total : data.series.reduce((sum, one) => sum + one.values[at], 0);
  const when = at === null ? '' : tick(data.times[at], 1, utc);
  return html`<div class="legend">
    <span class="when"><b>${shortCount(total)}</b> ${when || plural(total, 'event').replace(/^\S+ /, '')}</span>
    ${data.series.map((s) => {
      const n = at === null ? s.total : s.values[at];
      const swatch = html`<i style=${{ background: `var(${variable(s)})` }}></i>`;
      if (s.rest !== undefined) return html`<span key="other of many" class="entry">${swatch}${other} (${s.rest}) <b>${shortCount(n)}</b></span>`;
      return html`<button key=${s.name} type="button" class="entry" title="Click: only these. Alt-click: without these."
        onClick=${(e) => (e.altKey ? exclude : include)(s.name)}>${swatch}${s.name || noName[data.by]} <b>${shortCount(n)}</b></button>`;
    })}
  </div>`;
}
