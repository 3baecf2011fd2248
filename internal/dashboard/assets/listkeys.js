// The keys of the list of events.

import { useEffect, useRef } from './ui.js';

/** Moves through the rows, opens and closes events, and pauses. */
export function useKeys({ rows, selected, setSelected, open, chosen, setChosen, log, control }) {
  const state = useRef();
  state.current = { rows, selected, open, chosen, log };
  useEffect(() => {
    const onKey = (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('input, textarea, select, dialog[open]')) return;
      const s = state.current;
      const index = s.rows.findIndex((row) => row.cursor === s.selected);
      const move = (to) => {
        const row = s.rows[Math.max(0, Math.min(s.rows.length - 1, to))];
        if (!row) return;
        setSelected(row.cursor);
        control.current.reveal(s.rows.indexOf(row));
        if (s.chosen && !row.gap) setChosen(row);
      };
      const onButton = e.target.closest?.('button, a');
      if (e.key === 'j' || (e.key === 'ArrowDown' && e.target.closest?.('#list'))) move(index + 1);
      else if (e.key === 'k' || (e.key === 'ArrowUp' && e.target.closest?.('#list'))) move(index < 0 ? 0 : index - 1);
      else if (e.key === 'Enter' && index >= 0 && !onButton && !s.rows[index].gap) s.open(s.rows[index]);
      else if (e.key === 'Escape' && s.chosen) setChosen(null);
      else if (e.key === ' ' && !onButton) s.log.setPaused(s.log.list.following);
      else return;
      e.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
