// The Microsoft of `emulate`. `node microsoft.mjs [port]`
import { play } from './emulate.mjs';

await play(
  'microsoft',
  {
    users: ['ada', 'charles'].map((name) => ({ email: `${name}@example.com`, name: `The ${name}` })),
    oauth_clients: [
      {
        client_id: '11111111-2222-3333-4444-555555555555',
        client_secret: 'a secret: 50% & more',
        name: 'Atom',
        redirect_uris: ['https://app.example.com/callback/microsoft'],
      },
    ],
  },
  // It is one directory, and leaves the directory out of its paths.
  { mend: (request) => ({ ...request, url: request.url.replace(/^\/[^/]+(?=\/oauth2\/v2\.0\/)/, '') }) },
);
