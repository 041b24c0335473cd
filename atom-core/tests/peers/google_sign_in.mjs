// The Google of `emulate` under Google's own name, to sign in with. `node google_sign_in.mjs [port]`
import { play } from './emulate.mjs';

await play(
  'google',
  {
    users: ['ada', 'eve'].map((name) => ({ email: `${name}@gmail.com`, name: `The ${name}` })),
    oauth_clients: [
      {
        client_id: 'atom.apps.googleusercontent.com',
        client_secret: 'a secret: 50% & more',
        name: 'Atom',
        redirect_uris: ['https://app.example.com/sign-in/google'],
      },
    ],
  },
  // ID tokens name it. Where it has another path than Google, the request is led there.
  { baseUrl: 'https://accounts.google.com', mend: (request) => ({ ...request, url: request.url === '/token' ? '/oauth2/token' : request.url }) },
);
