/** Measures calls from Node.js: `node.mjs <folder of atom-node> <seconds>`. Prints a JSON object per operation. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const AT_ONCE = 64;
const MANY = 1000;
const ROUNDS = 20;

const [folder, seconds] = process.argv.slice(2);
const atom = createRequire(import.meta.url)(resolve(folder));

function awaited(operation, call) {
  return rounds(operation, 1, async (count) => {
    for (let i = 0; i < count; i++) await call();
  });
}

function gathered(operation, call) {
  return rounds(`${operation}_${AT_ONCE}`, AT_ONCE, async (count) => {
    for (let i = 0; i < count; i++) await Promise.all(Array.from({ length: AT_ONCE }, call));
  });
}

/** Reports nanoseconds per call, round by round. The warm-up, as long as all rounds, tells how many calls fill one. */
async function rounds(operation, calls, some) {
  let done = 0;
  for (const start = performance.now(); performance.now() - start < seconds * 1000; done++) await some(1);
  const count = Math.max(1, Math.floor(done / ROUNDS));
  const nanoseconds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await some(count);
    nanoseconds.push(((performance.now() - start) * 1e6) / count / calls);
  }
  console.log(JSON.stringify({ caller: 'node', operation, nanoseconds }));
}

const sample = () => ({
  text: 'The quick brown fox jumps over the lazy dog',
  count: 42,
  ratio: 0.5,
  flag: true,
  at: new Date('2026-11-21T08:00:00Z'),
  connection: '01890a5d-ac96-774b-bcce-b302099a8057',
  weight: atom.Weight.VeryHeavy,
  shape: { type: 'circle', radius: 1.5 },
  tags: ['one', 'two'],
  labels: { colour: 'red' },
  raw: { starred: true },
  content: Buffer.from(Array.from({ length: 16 }, (_, i) => i)),
  note: 'a note',
});

/** Signs somebody up and connects their account, once. */
async function connect(database, tokenCacheSeconds) {
  const google = await atom.GoogleStandIn.start();
  const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64');
  const options = { databaseUrl: `sqlite:${database}`, key, providers: [google.app], tokenCacheSeconds };
  const installation = await atom.Atom.open(options);
  const session = await installation.accounts.signUp({ email: 'ada@example.com', password: 'an engine of brass and thought' });
  const { connections } = await installation.authenticate(session.accessToken);
  const authorization = await connections.start({ provider: 'google' });
  return connections.complete(await google.approve(authorization.url, 'ada@example.com'));
}

const data = mkdtempSync(join(tmpdir(), 'atom-bench-'));
try {
  const probe = await atom.Probe.start();
  const connection = await connect(join(data, 'atom.db'), 0);
  const cached = await connect(join(data, 'cached.db'), 60);
  const one = sample();
  const many = Array.from({ length: MANY }, sample);

  await awaited('nothing', () => probe.nothing());
  await gathered('nothing', () => probe.nothing());
  await awaited('echo', () => probe.echo(one));
  await awaited('echo_many', () => probe.echoMany(many));
  await awaited('token', () => connection.accessToken());
  await gathered('token', () => connection.accessToken());
  await awaited('token_cached', () => cached.accessToken());
  await gathered('token_cached', () => cached.accessToken());
} finally {
  rmSync(data, { recursive: true });
}
