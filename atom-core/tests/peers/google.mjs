// The Google of `emulate`. `node google.mjs [port]`
import { play } from './emulate.mjs';

// Where it has another path than Google.
const PATHS = { '/token': '/oauth2/token', '/revoke': '/oauth2/revoke', '/v1/userinfo': '/oauth2/v2/userinfo' };

await play(
  'google',
  {
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
  { mend: (request) => ({ ...request, url: PATHS[request.url] ?? request.url }) },
);
