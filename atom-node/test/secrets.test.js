'use strict';

const assert = require('node:assert/strict');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { Atom, GoogleStandIn, isAtomError } = require('..');

const CANARY = 'canary-8d1f';
const email = 'ada@example.test';
const password = `${CANARY}-and-thirty-two-more-letters`;

/** A new installation in a folder of its own; `changes` are options. */
async function installation(t, changes) {
  const folder = mkdtempSync(join(tmpdir(), 'atom-secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const google = await GoogleStandIn.start();
  const options = { databaseUrl: `sqlite:${folder}/atom.db`, keyFile: `${folder}/atom.key`, createKeyFile: true, providers: [google.app] };
  const atom = await Atom.open({ ...options, ...changes?.(google) });
  return { atom, folder, google, session: await atom.accounts.signUp({ email, password }) };
}

async function connect({ atom, google, session }) {
  const { connections } = await atom.authenticate(session.accessToken);
  const { url } = await connections.start({ provider: 'google' });
  return connections.complete(await google.approve(url, email));
}

/** Fails unless the call is refused with an error that shows none of the secrets, however it is printed. */
async function refusedWithout(secrets, call) {
  const error = await call().then(() => assert.fail('expected a rejection'), (refusal) => refusal);
  assert.ok(isAtomError(error));
  const shown = [String(error), error.stack, inspect(error, { depth: null, showHidden: true }), JSON.stringify(error)].join('\n');
  assert.deepEqual(secrets.filter((secret) => shown.includes(secret)), [], error.message);
}

describe('an error does not repeat a secret', () => {
  test('of a refused account or session', async (t) => {
    const { atom } = await installation(t);
    await refusedWithout([CANARY], () => atom.accounts.signIn({ email, password: CANARY }));
    await refusedWithout([CANARY], () => atom.accounts.signUp({ email: 'b@example.test', password: CANARY }));
    await refusedWithout([CANARY], () => atom.accounts.signUp({ email, password }));
    await refusedWithout([CANARY], () => atom.accounts.refresh(CANARY));
    await refusedWithout([CANARY], () => atom.authenticate(CANARY));
  });

  test('of refused options', async () => {
    await refusedWithout([CANARY], () => Atom.open({ databaseUrl: 'sqlite:./never-made.db', key: CANARY }));
    await refusedWithout([CANARY], () => Atom.open({ databaseUrl: `postgres://ada:${CANARY}@127.0.0.1:1/atom`, key: CANARY }));
    await refusedWithout([CANARY], () => Atom.open({ databaseUrl: `mysql://ada:${CANARY}@127.0.0.1/atom`, key: Buffer.alloc(32).toString('base64') }));
  });

  test('of the wrong type', async (t) => {
    const { atom } = await installation(t);
    for (const wrong of [[CANARY], Buffer.from(CANARY), { secret: CANARY }, Symbol(CANARY), () => CANARY]) {
      await refusedWithout([CANARY], () => atom.accounts.signIn({ email, password: wrong }));
      await refusedWithout([CANARY], () => atom.authenticate(wrong));
    }
    await refusedWithout(['80808080'], () => atom.authenticate(80808080));
    await refusedWithout(['80808080'], () => atom.authenticate(80808080n));
  });

  test('of a connection that fails', async (t) => {
    const broken = await installation(t, (google) => ({ providers: [{ ...google.app, clientSecret: CANARY }] }));
    await refusedWithout([CANARY], () => connect(broken));
    const { connections } = await broken.atom.authenticate(broken.session.accessToken);
    await refusedWithout([CANARY], () => connections.complete(`http://127.0.0.1/callback?code=${CANARY}&state=${CANARY}`));
  });

  test('of a connection that breaks', async (t) => {
    const whole = await installation(t);
    const connection = await connect(whole);
    const { token } = await connection.accessToken();
    const url = `https://example.test/?access_token=${CANARY}`;
    await refusedWithout([CANARY, token], () => connection.request({ method: 'GET', url }));
    await whole.google.expireAccessTokens();
    await whole.google.revokeGrants();
    await refusedWithout([CANARY, token], () => connection.files.list({}));
  });

  test('of a refused service key', async (t) => {
    const { atom, session } = await installation(t);
    const { serviceKeys } = await atom.authenticate(session.accessToken);
    const fields = { service: 'openai', value: password, hosts: ['api.example.test'] };
    const key = await serviceKeys.create(fields);
    assert.ok(!inspect(key, { depth: null }).includes(CANARY));
    await refusedWithout([CANARY], () => serviceKeys.create(fields));
    await refusedWithout([CANARY], () => serviceKeys.create({ ...fields, name: 'broken', value: `${CANARY}\n` }));
    await refusedWithout([CANARY], () => serviceKeys.rotate(key.id, { revision: 7, value: password }));
    await refusedWithout([CANARY], () => serviceKeys.request(key.id, { method: 'GET', url: 'https://example.test/' }));
    await refusedWithout([CANARY], () => serviceKeys.reveal(key.id));
  });
});

test('no secret is readable in the database', async (t) => {
  const { atom, folder, google, session } = await installation(t);
  const connection = await connect({ atom, google, session });
  const before = await connection.accessToken();
  await google.expireAccessTokens();
  await connection.files.list({});
  const after = await connection.accessToken();
  const value = `${CANARY}-of-another-service`;
  await (await atom.authenticate(session.accessToken)).serviceKeys.create({ service: 'openai', value, exportable: true });
  const secrets = [value, password, session.accessToken, session.refreshToken, google.app.clientSecret, before.token, after.token];

  const log = readFileSync(join(folder, 'atom.db-wal'));
  // Closing the database while SQLite has it open in the same process would lose SQLite's locks on it.
  await atom.shutDown();
  for (const stored of [log, readFileSync(join(folder, 'atom.db'))]) {
    assert.ok(stored.includes(email), 'the search finds what is not sealed');
    assert.deepEqual(secrets.filter((secret) => stored.includes(secret)), []);
  }
});
