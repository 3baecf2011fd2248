// Where every event went, as equations: what came in is the sum of what became of it.

/** The equations of GET /stats: {id, title, total: [parts], parts: [parts]}; a part is {name, count, kind, hint}. */
export function equations(stats) {
  const { store, buffers } = stats;
  const part = (name, count, kind = '', hint = '') => ({ name, count, kind: count ? kind : '', hint });
  const reasons = (name, object, kind) => Object.entries(object ?? {}).map(([reason, n]) => part(`${name}: ${reason}`, n, kind));
  return [
    ...buffers.map((b) => ({
      id: `buffer ${b.id}`,
      title: b.id,
      note: `${b.enabled ? '' : 'disabled · '}room for ${b.capacity.toLocaleString('en')} events${b.instances > 1 ? ` in ${b.instances} pipelines` : ''}`,
      total: [part('received', b.received)],
      parts: [
        part('forwarded', b.forwarded, 'good', 'Passed on to the store.'),
        part('filtered', b.filtered, '', 'Removed by event_types or exclude_event_types.'),
        part('sampled out', b.sampled_out, '', 'Removed by sampling; counts elsewhere are estimated back.'),
        ...reasons('dropped', b.dropped, 'warn'),
        part('failed', b.failed, 'bad', 'The store refused them for good.'),
        part('buffered', b.buffered, '', 'Under way now.'),
      ],
    })),
    {
      id: 'appended',
      title: 'Written to the store',
      note: `${store.storage} · ${store.commits.toLocaleString('en')} commits`,
      total: [part('appended', store.appended)],
      parts: [
        part('stored', store.stored, 'good'),
        part('duplicate', store.duplicate, '', 'Stored before; answered with success.'),
        ...reasons('refused', store.refused, 'warn'),
        part('failed', store.failed, 'warn', 'Answered with an error; the sender tries again.'),
        part('unknown', store.unknown, 'warn', 'Answered with an error; may be stored.'),
      ],
    },
    {
      id: 'kept',
      title: 'Kept in the store',
      note: 'since this process opened it',
      total: [
        part('recovered', store.recovered, '', 'Found when the store was opened.'),
        part('stored', store.stored),
        ...(store.elsewhere ? [part('stored elsewhere', store.elsewhere, '', 'By other collectors on the same stream.')] : []),
      ],
      parts: [
        part('kept now', store.events, 'good'),
        part('evicted', store.evicted, '', 'Removed by retention, the oldest first.'),
        part('lost', store.lost, 'bad', 'Damaged on disk.'),
      ],
    },
  ];
}

/** Whether an equation holds. */
export const holds = ({ total, parts }) => total.reduce((n, p) => n + p.count, 0) === parts.reduce((n, p) => n + p.count, 0);
