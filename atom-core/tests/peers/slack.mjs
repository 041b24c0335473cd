// The Slack of `emulate`. `node slack.mjs [port]`
import { play } from './emulate.mjs';

// Slack takes every method as GET and as POST (https://docs.slack.dev/apis/web-api/#basics), `emulate` most of them as POST only.
function posted(request) {
  const [path, query = ''] = request.url.split('?');
  if (request.method !== 'GET' || !path.startsWith('/api/')) return request;
  const headers = { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url: path, headers, body: query };
}

// The client's name and secret are encoded as in a form before they are joined (RFC 6749 §2.3.1), which `emulate` does not undo.
function decoded(request) {
  const { authorization = '' } = request.headers;
  if (!authorization.startsWith('Basic ')) return request;
  const parts = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
  const plain = parts.map((part) => decodeURIComponent(part.replaceAll('+', ' '))).join(':');
  return { ...request, headers: { ...request.headers, authorization: `Basic ${Buffer.from(plain).toString('base64')}` } };
}

await play(
  'slack',
  {
    team: { name: 'Engines', domain: 'engines' },
    users: ['ada', 'charles', 'mary'].map((name) => ({ name, real_name: `The ${name}`, email: `${name}@example.com` })),
    channels: ['engines', 'looms', 'mills'].map((name) => ({ name, topic: `All about ${name}` })),
    oauth_apps: [
      {
        client_id: '12345.67890',
        client_secret: 'a secret: 50% & more',
        name: 'Atom',
        redirect_uris: ['https://app.example.com/callback/slack'],
        bot_name: 'atom',
      },
    ],
    // What was granted is all that may be done.
    strict_scopes: true,
  },
  { mend: (request) => decoded(posted(request)) },
);
