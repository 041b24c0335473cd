// Lists files with the library from Node.js, by the protocol of README.md.

import { createRequire } from 'node:module';
import { args, measure, Seen } from './driver.mjs';

const { Atom } = createRequire(import.meta.url)(process.env.ATOM_BENCH_NODE);

const atom = await Atom.open({
  databaseUrl: `sqlite:${args.db}`,
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  providers: [{ provider: 'google', clientId: 'client', redirectUri: 'http://127.0.0.1/callback', developmentEndpoint: args.url }],
});
const { session } = await atom.accounts.signIn({ email: 'ada@example.com', password: 'an engine of brass' });
const { connections } = await atom.authenticate(session.accessToken);
const { files } = await connections.open((await connections.list())[0].id);

await measure(async () => {
  const seen = new Seen();
  let cursor;
  do {
    const page = await files.list({ pageSize: 1000, cursor });
    for (const file of page.items) seen.add(file.id, file.name, file.size);
    cursor = page.nextCursor;
  } while (cursor);
  return seen;
});
await atom.shutDown();
