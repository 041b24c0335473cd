// Reads the library's tokens from Node.js, by the line protocol of README.md.

import { createRequire } from 'node:module';
import { args, measure } from './driver.mjs';

const { Atom } = createRequire(import.meta.url)(process.env.ATOM_BENCH_NODE);

const atom = await Atom.open({
  databaseUrl: `sqlite:${args.db}`,
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  providers: [{ provider: 'google', clientId: 'client', redirectUri: 'http://127.0.0.1/callback', exportTokens: true }],
  tokenCacheSeconds: args.variant === 'stored' ? 0 : undefined,
});
const { session } = await atom.accounts.signIn({ email: 'ada@example.com', password: 'an engine of brass' });
const { connections } = await atom.authenticate(session.accessToken);
const accounts = [];
for (const account of await connections.list()) accounts.push(await connections.open(account.id));

await measure(accounts, async (connection) => (await connection.accessToken()).token);
await atom.shutDown();
