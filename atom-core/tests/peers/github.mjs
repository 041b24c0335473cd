// The GitHub of `emulate`. `node github.mjs [port]`
import { play } from './emulate.mjs';

await play(
  'github',
  {
    users: ['ada', 'charles'].map((login) => ({ login, name: `The ${login}`, email: `${login}@example.com` })),
    repos: ['engine', 'loom', 'mill'].map((name) => ({ owner: 'ada', name, description: `The ${name}` })),
    oauth_apps: [
      { client_id: 'atom', client_secret: 'a secret: 50% & more', name: 'Atom', redirect_uris: ['https://app.example.com/callback/github'] },
    ],
  },
  {
    // The addresses in its answers: ids are made of them.
    baseUrl: 'https://api.github.com',
    // Every part of a merge is optional (https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request).
    mend: (request) => (request.method === 'PUT' && !request.body ? { ...request, body: '{}' } : request),
  },
);
