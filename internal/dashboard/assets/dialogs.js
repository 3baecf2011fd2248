// Dialogs over the page: the token, and the keys.

import { onAskToken } from './token.js';
import { html, useEffect, useRef, useState } from './ui.js';

export function TokenDialog() {
  const dialog = useRef(null);
  const [ask, setAsk] = useState(null);
  useEffect(() => onAskToken((refused, answer) => setAsk({ refused, answer })), []);
  useEffect(() => {
    if (ask) dialog.current.showModal();
  }, [ask]);
  const submit = (e) => {
    e.preventDefault();
    const token = e.target.elements.token.value;
    e.target.reset();
    dialog.current.close();
    setAsk(null);
    ask.answer(token);
  };
  return html`<dialog id="login" ref=${dialog} aria-labelledby="login-title" onCancel=${(e) => e.preventDefault()}>
    <form onSubmit=${submit}>
      <h2 id="login-title">This store wants a token</h2>
      ${ask?.refused && html`<p class="trouble" role="alert">The token was wrong.</p>`}
      <label>Bearer token <input id="token" name="token" type="password" autocomplete="off" required /></label>
      <p class="quiet">It is kept for this tab only.</p>
      <button type="submit" class="primary">Use it</button>
    </form>
  </dialog>`;
}

const keys = [
  ['/', 'go to the filter'], ['f', 'find in the rows shown'], ['j  k', 'next and previous event'], ['Enter', 'open the event'], ['Esc', 'close it'],
  ['Space', 'pause and resume'], ['1 … 6', 'the views'], ['?', 'these keys'],
];

export function KeysDialog({ open, close }) {
  const dialog = useRef(null);
  useEffect(() => {
    if (open) dialog.current.showModal();
    else dialog.current.close();
  }, [open]);
  return html`<dialog id="keys" ref=${dialog} onClose=${close} aria-labelledby="keys-title">
    <h2 id="keys-title">Keys</h2>
    <dl class="pairs">${keys.map(([key, text]) => html`<dt><kbd>${key}</kbd></dt><dd>${text}</dd>`)}</dl>
    <p class="quiet">Drag over the histogram to choose a range. Alt-click a name to leave it out.</p>
    <button type="button" class="primary" onClick=${close}>Close</button>
  </dialog>`;
}
