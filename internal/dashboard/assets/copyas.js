// The present filter as a command or a link.

const shell = (text) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** curl for a call of the API. */
export function curl(url) {
  return `curl ${shell(url)}`;
}

const flags = {
  event_type: '--event-type', source: '--source', since: '--since', until: '--until', min_severity: '--min-severity',
  event_id: '--event-id', trace_id: '--trace-id', text: '--text', where: '--where',
};

/** eventctl with the flags of a filter. */
export function eventctl(command, filter, origin) {
  const words = ['eventctl', ...command];
  if (origin !== 'http://localhost:4380') words.push('--endpoint', shell(origin));
  for (const [name, value] of filter) {
    if (name.startsWith('data.')) words.push('--data', shell(`${name.slice(5)}=${value}`));
    else if (flags[name]) words.push(flags[name], shell(value));
  }
  return words.join(' ');
}
