// A web application with accounts: sign up with a mailed code, sessions in cookies, a second factor, and a list of devices to sign out.
//
//   node web.mjs          a browser that is played by this program walks through it
//   node web.mjs --serve  the application stays there for yours
//
// The server is Node's own, so that nothing hides what is done: with Express or Fastify, `withSession` is a middleware.
import { Atom, isAtomError } from 'atom-node';
import { once } from 'node:events';
import { createServer } from 'node:http';

const mailbox = []; // yours is behind a mail server: `smtp`
const post = { send: (mail) => void mailbox.push(mail) };
const options = { databaseUrl: 'memory:', appName: 'Acme', appUrl: 'http://127.0.0.1', mailFrom: 'Acme <no-reply@acme.example>' };
const atom = await Atom.openWithHooks(options, {}, null, null, post);

const server = createServer((request, response) => handle(request, response).catch((error) => fail(response, error)));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;
const isForYou = process.argv.includes('--serve');

const routes = {
  // The answer is the same whether somebody has the address or not.
  'POST /sign-up': async ({ body, client }) => ({ flowToken: (await atom.accounts.beginSignUp({ ...body, client })).flowToken }),
  'POST /confirm': async ({ body, client, response }) => enter(response, await atom.accounts.confirmSignUp({ ...body, client })),
  // A refresh token that this browser still has tells that it is one of the user's: the failures of others do not slow it down.
  'POST /sign-in': async ({ body, client, cookies, response }) =>
    enter(response, await atom.accounts.signIn({ ...body, client, knownDevice: cookies.refresh })),
  'POST /sign-in/code': async ({ body, response }) => enter(response, await atom.accounts.completeWithTotp(body.pendingToken, body.code)),
  'POST /sign-out': async ({ cookies, response }) => {
    if (cookies.refresh) await atom.accounts.signOut(cookies.refresh);
    setCookies(response, { access: '', refresh: '' }, 0);
    return {};
  },
  'GET /me': withSession(async ({ scope }) => scope.principal),
  'GET /devices': withSession(async ({ scope }) =>
    (await scope.sessions.list()).map(({ id, client, isCurrent }) => ({ id, device: client?.userAgent ?? 'unknown', isCurrent })),
  ),
  'POST /devices/sign-out': withSession(async ({ scope, body }) => scope.sessions.revoke(body.id)),
};

async function handle(request, response) {
  const { pathname } = new URL(request.url, origin);
  const route = routes[`${request.method} ${pathname}`];
  if (!route) return void response.writeHead(404).end();
  // Browsers send `Origin` with every POST; other sites cannot forge it. `SameSite` keeps their requests without cookies, too.
  if (request.method === 'POST' && request.headers.origin !== origin) return void response.writeHead(403).end();
  const client = { ip: request.socket.remoteAddress, userAgent: request.headers['user-agent'] };
  const answer = await route({ response, client, body: await json(request), cookies: cookiesOf(request) });
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
}

/** Lets whoever is signed in through, with their scope. An access token that is over is renewed on the way. */
function withSession(route) {
  return async (context) => {
    const { access, refresh } = context.cookies;
    try {
      return await route({ ...context, scope: await atom.authenticate(access ?? '') });
    } catch (error) {
      const isOver = isAtomError(error) && ['access_token_expired', 'invalid_access_token'].includes(error.reason);
      if (!isOver || !refresh) throw error;
    }
    // Twenty requests at once may get here with the same refresh token: each gets the same new one, and none ends the session.
    const session = await atom.accounts.refreshFrom(refresh, context.client);
    keep(context.response, session);
    return route({ ...context, scope: await atom.authenticate(session.accessToken) });
  };
}

/** What a proof leads to: a session, or the next question. */
function enter(response, signIn) {
  if (signIn.type !== 'signed_in') return { next: signIn.type, pendingToken: signIn.pending.token ?? signIn.pending.flowToken };
  keep(response, signIn.session);
  return { user: signIn.session.user.email };
}

function keep(response, { accessToken, refreshToken, refreshExpiresAt }) {
  setCookies(response, { access: accessToken, refresh: refreshToken }, Math.floor((refreshExpiresAt - Date.now()) / 1000));
}

function setCookies(response, values, maxAge) {
  // No script reads them. On https, add `Secure` and begin the names with `__Host-`.
  const cookie = ([name, value]) => `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}`;
  response.setHeader('set-cookie', Object.entries(values).map(cookie));
}

function cookiesOf(request) {
  return Object.fromEntries((request.headers.cookie ?? '').split('; ').filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
}

async function json(request) {
  let text = '';
  for await (const piece of request) {
    text += piece;
    if (text.length > 10_000) throw new SyntaxError('too long');
  }
  return text ? JSON.parse(text) : {};
}

/** Atom's errors say what to tell: their text is for the user's developer, their reason for the page. */
function fail(response, error) {
  const statuses = { invalid: 400, unauthenticated: 401, forbidden: 403, not_found: 404, conflict: 409, rate_limited: 429 };
  const status = isAtomError(error) ? (statuses[error.code] ?? 503) : error instanceof SyntaxError ? 400 : 500;
  const headers = error.retryAfter ? { 'retry-after': Math.ceil(error.retryAfter) } : {};
  if (!response.headersSent) response.writeHead(status, headers).end(JSON.stringify({ reason: error.reason ?? 'unexpected' }));
  if (status === 500) console.error(error);
}

if (isForYou) {
  console.log(`POST ${origin}/sign-up {"email", "password"}; mails are printed here`);
  post.send = (mail) => void console.log(mail.text);
} else {
  await walk();
  server.close();
  await atom.shutDown();
}

/** A browser: it keeps cookies, and nothing else. */
function browser(userAgent) {
  const jar = {};
  return {
    jar,
    async go(method, path, body) {
      const cookie = Object.entries(jar).map((pair) => pair.join('=')).join('; ');
      const headers = { origin, cookie, 'user-agent': userAgent, 'content-type': 'application/json', connection: 'close' };
      const response = await fetch(origin + path, { method, headers, body: body && JSON.stringify(body) });
      for (const set of response.headers.getSetCookie()) {
        const [name, value] = set.split(';')[0].split('=');
        if (value) jar[name] = value;
        else delete jar[name];
      }
      return { status: response.status, ...(await response.json()) };
    },
  };
}

async function walk() {
  const ada = { email: 'ada@example.com', password: 'an engine of brass and thought' };
  const phone = browser('a phone');
  const { flowToken } = await phone.go('POST', '/sign-up', ada);
  while (!mailbox.length) await new Promise((resume) => setTimeout(resume, 5));
  const code = mailbox.at(-1).text.match(/\b\d{8}\b/)[0];
  show('1. Sign up     ', await phone.go('POST', '/confirm', { flowToken, code }));
  show('2. Me          ', await phone.go('GET', '/me'));

  const laptop = browser('a laptop');
  show('3. Wrong       ', await laptop.go('POST', '/sign-in', { ...ada, password: 'an engine of tin and thought' }));
  show('   Right       ', await laptop.go('POST', '/sign-in', ada));

  delete laptop.jar.access; // as it goes when a quarter of an hour is over
  const many = await Promise.all(Array.from({ length: 20 }, () => laptop.go('GET', '/me')));
  show('4. Refresh     ', { requests: many.length, fine: many.filter(({ status }) => status === 200).length });

  const devices = Object.values(await laptop.go('GET', '/devices')).filter(({ id }) => id);
  for (const { device, isCurrent } of devices) console.log(`5. Device       ${device}${isCurrent ? ', this one' : ''}`);
  await laptop.go('POST', '/devices/sign-out', { id: devices.find(({ isCurrent }) => !isCurrent).id });
  delete phone.jar.access;
  show('6. The phone   ', await phone.go('GET', '/me'));
  show('7. Sign out    ', await laptop.go('POST', '/sign-out'));
  show('   Me          ', await laptop.go('GET', '/me'));
}

function show(what, answer) {
  console.log(what, JSON.stringify(answer));
  const isExpected = /Wrong|phone|   Me/.test(what) ? answer.status === 401 : (answer.status ?? 200) === 200;
  if (!isExpected) throw new Error(`${what.trim()} went another way`);
}
