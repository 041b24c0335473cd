// The main job of Atom from beginning to end: a user, a connected account, its files, an expired token, a sealed database.
//
//   node quickstart.mjs                    with a stand-in for Google that this program starts
//   node quickstart.mjs --provider google  with Google itself (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET: a "Desktop app" client)
//
// It leaves `atom.db` and `atom.key` in the current folder; run it again and the same user and connection are found.
import { Atom, GoogleStandIn, isAtomError } from 'atom-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const databaseUrl = 'sqlite:./atom.db';
const keyFile = './atom.key';
const email = 'ada@example.com';
const password = 'an engine of brass and thought';

const { provider } = parseArgs({ options: { provider: { type: 'string', default: 'stand-in' } } }).values;
if (!['stand-in', 'google'].includes(provider)) throw new Error('usage: quickstart.mjs [--provider stand-in|google]');

const browser = await listen();
const google = provider === 'stand-in' ? await GoogleStandIn.start() : undefined;
console.log(`1. Google      ${google ? `a stand-in listens on ${google.url}` : 'the real one'}`);

const client = google ? google.app : { provider: 'google', clientId: env('GOOGLE_CLIENT_ID'), clientSecret: env('GOOGLE_CLIENT_SECRET'), exportTokens: true };
const app = { ...client, redirectUri: browser.redirectUri };
const atom = await Atom.open({ databaseUrl, keyFile, createKeyFile: true, providers: [app] });
console.log(`2. Atom        opened ${databaseUrl} with the key in ${keyFile}`);

const session = await signUpOrIn();
console.log(`3. User        ${session.user.email} in workspace "${session.workspace.name}", role ${session.role}`);

const scope = await atom.authenticate(session.accessToken);
const authorization = await scope.connections.start({ provider: 'google', services: ['drive'] });
if (google) {
  await fetch(await google.approve(authorization.url, email)); // the user agrees, and the browser follows the redirect
} else {
  console.log(`               open this page and agree:\n\n${authorization.url}\n`);
  openInBrowser(authorization.url);
}
const connection = await scope.connections.complete(await browser.redirected);
const account = await connection.account();
console.log(`4. Connection  ${account.email} (${account.state}), ${account.scopes.length} scopes granted`);

const content = Buffer.from('A note that was written through Atom.');
const stored = await connection.files.upload({ name: 'note from atom.txt', content, mimeType: 'text/plain' });
const { length } = await connection.files.download(stored.id);
console.log(`5. Upload      "${stored.name}", ${length} bytes, read back`);

if (google) {
  await google.expireAccessTokens();
  console.log('6. Expiry      every access token has just died');
}
const before = await connection.accessToken();
const files = await connection.files.list({ pageSize: 10 });
const after = await connection.accessToken();
const renewed = before.token === after.token ? 'the same token' : 'a token that was renewed on the way';
console.log(`7. Files       ${files.items.length} listed, with ${renewed}:`);
for (const file of files.items.slice(0, 5)) console.log(`               - ${file.name}`);

// Only now: closing a file that SQLite has open in the same process would lose SQLite's locks on it.
await atom.shutDown();
const database = await readFile('atom.db');
const found = database.includes(after.token) ? 'READABLE' : 'nowhere';
console.log(`8. At rest     the access token is ${found} in the ${database.length} bytes of atom.db`);

async function signUpOrIn() {
  try {
    return await atom.accounts.signUp({ email, password, displayName: 'Ada' });
  } catch (error) {
    if (!isAtomError(error) || error.code !== 'conflict') throw error;
    const { session } = await atom.accounts.signIn({ email, password });
    return session;
  }
}

/** Listens on a loopback port for the redirect of a native app (RFC 8252 §7.3). */
async function listen() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const redirected = new Promise((resolve) => {
    server.on('request', (request, response) => {
      const ours = request.url.startsWith('/callback?'); // a browser also asks for an icon
      response.writeHead(ours ? 200 : 404, { connection: 'close' }).end(ours ? 'Connected. You can close this page.' : '');
      if (!ours) return;
      server.close();
      resolve(origin + request.url);
    });
  });
  return { redirectUri: `${origin}/callback`, redirected };
}

function env(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name} to the one of a "Desktop app" OAuth client`);
  return value;
}

/** The URL is an argument, never part of a shell command; if nothing opens, the person uses the printed one. */
function openInBrowser(url) {
  spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore' }).on('error', () => {});
}
