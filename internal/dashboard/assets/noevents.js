// What stands in place of the events of an empty store: how to send the first one.

import { get } from './api.js';
import { reachable } from './addresses.js';
import { Empty, Trouble, html, useState } from './ui.js';

const otlp = 'http://localhost:4318/v1/logs';
const json = 'http://localhost:4319/v1/events';

export function NoEventsYet({ receivers }) {
  const [state, setState] = useState({});
  const send = async () => {
    setState({ sending: true });
    try {
      setState({ sent: await get('/test-event', '', { method: 'POST' }) });
    } catch (error) {
      setState({ error });
    }
  };
  const { sending, sent, error } = state;
  const here = (url) => reachable(url, location.hostname);
  const first = (name) => receivers.find((r) => r[name])?.[name];
  return html`<${Empty} title="No events yet">
    <p>Send some to the receiver: over OTLP to <code>${here(first('otlp_url') ?? otlp)}</code> from any OpenTelemetry SDK, or as JSON:</p>
    <pre>curl ${here(first('events_url') ?? json)} -H 'Content-Type: application/json' -d '{"event_type": "user.login", "source": "shop", "data": {"user": 7}}'</pre>
    ${receivers.some((r) => r.takes_test_event) && html`<p><button type="button" id="test-event" class="primary" disabled=${sending} onClick=${send}>Send a test event</button></p>`}
    ${sent && html`<p role="status">Sent through the receiver ${sent.receiver}. It shows up here, unless event_buffer leaves ${sent.event_type} out.</p>`}
    <${Trouble} error=${error} />
    <p>They show up here as they arrive.</p></${Empty}>`;
}
