// Addresses of listeners, as somebody elsewhere writes them.

/** The URL of a listener: one that listens on every address is where the page came from. */
export function reachable(url, hostname) {
  const parsed = new URL(url);
  if (/^(0\.0\.0\.0|\[::\])$/.test(parsed.hostname)) parsed.hostname = hostname;
  else if (/^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname)) parsed.hostname = 'localhost';
  return parsed.href;
}
