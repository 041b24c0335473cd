// Verifies with the library from Node.js, by the protocol of README.md.

import { createRequire } from 'node:module';
import { given, measure } from './driver.mjs';

const { Atom } = createRequire(import.meta.url)(process.env.ATOM_BENCH_NODE);

const atom = await Atom.open({ databaseUrl: given.database, key: given.key });
await measure(async (token) => (await atom.authenticate(token)).principal.userId);
await atom.shutDown();
