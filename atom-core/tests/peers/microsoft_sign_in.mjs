// The Microsoft of `emulate` under Microsoft's own name, to sign in with. `node microsoft_sign_in.mjs [port]`
import { play } from './emulate.mjs';

await play(
  'microsoft',
  {
    users: ['ada', 'eve'].map((name) => ({ email: `${name}@example.com`, name: `The ${name}` })),
    oauth_clients: [
      {
        client_id: '11111111-2222-3333-4444-555555555555',
        client_secret: 'a secret: 50% & more',
        name: 'Atom',
        redirect_uris: ['https://app.example.com/sign-in/microsoft'],
      },
    ],
  },
  {
    // ID tokens name it.
    baseUrl: 'https://login.microsoftonline.com',
    // It is one directory, and leaves the directory out of its paths.
    mend: (request) => ({ ...request, url: request.url.replace(/^\/[^/]+(?=\/(oauth2|discovery)\/v2\.0\/)/, '') }),
  },
);
