// The bearer token of servers that want one. It is asked for once and kept for this tab only.

let asking; // the answer that all refused calls wait for
let show = () => {};

/** Sets what shows the dialog: it gets whether a token was refused, and a function for the answer. */
export function onAskToken(shower) {
  show = shower;
}

/** Asks for another token than the one that was refused. Returns when there is one. */
export function askToken(refused) {
  if (asking) return asking;
  if (refused !== sessionStorage.getItem('token')) return Promise.resolve(); // there is a newer one
  asking = new Promise((done) => {
    show(refused !== null, (token) => {
      sessionStorage.setItem('token', token);
      asking = undefined;
      done();
    });
  });
  return asking;
}
