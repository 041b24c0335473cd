// The Google of `emulate`. `node google.mjs [port]`
import { Server } from 'node:net';
import { createEmulator } from 'emulate';
import { serveUntilParentLeaves } from './serve.mjs';

// `emulate` keeps its server to itself and opens it on every interface; here it is wanted on loopback, on whichever port is free.
const listen = Server.prototype.listen;
const opened = new Promise((resolve) => {
  Server.prototype.listen = function () {
    Server.prototype.listen = listen;
    resolve(serveUntilParentLeaves(this));
    return this;
  };
});

await createEmulator({
  service: 'google',
  seed: {
    google: {
      // A token that it does not know counts as the first user's: nobody connects that account, so that a wrong token is noticed.
      users: [{ email: 'nobody@example.com' }, ...Array.from({ length: 32 }, (_, i) => ({ email: `user-${i}@example.com`, name: `User ${i}` }))],
      oauth_clients: [
        {
          client_id: 'atom.apps.googleusercontent.com',
          client_secret: 'a secret: 50% & more',
          name: 'Atom',
          redirect_uris: ['https://app.example.com/callback/google'],
        },
      ],
    },
  },
});
console.log(`ready ${await opened}`);
