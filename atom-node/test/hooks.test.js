'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { after, before, describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const { Atom, isAtomError } = require('..');

const CANARY = 'canary-of-a-customer';

const manifest = (url) => `
schema = 1
name = "stage"
title = "Stage"
docs = "https://stage.example/docs"
verified_at = "2026-11-28"
hosts = ["127.0.0.1"]
[methods.key]
type = "api_key"
title = "Key"
send = { headers = { X-Key = "{api_key}" } }
[identity]
url = "${url}/me"
account_id = "id"
[services.main]
base_url = "${url}"
[services.main.records.task]
id = "id"
title = "name"
[services.main.operations."tasks.list"]
vendor_op = "two requests"
effect = "read"
items = "found"
record = "task"
hook = "both_halves"
[services.main.operations."stage.refuse"]
vendor_op = "refuse"
path = "/refuse"
effect = "read"
`;

describe('an operation hook', () => {
  let server;
  let url;
  before(async () => {
    server = createServer((request, response) => {
      response.writeHead(request.url === '/refuse' ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ id: request.url, name: request.headers['x-key'] }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const options = () => ({ databaseUrl: 'memory:', providers: [{ provider: 'stage', clientId: '', redirectUri: '', manifest: manifest(url) }] });

  /** An installation with this hook, and Ada's connection. */
  async function stage(hook) {
    const atom = await Atom.openWithHooks(options(), { both_halves: hook });
    const session = await atom.accounts.signUp({ email: 'ada@example.com', password: 'an engine of brass and thought' });
    const scope = await atom.authenticate(session.accessToken);
    const connection = await scope.connections.connect({ provider: 'stage', fields: { api_key: 'k' } });
    return { atom, connection };
  }

  const half = async (connection, at, name) => (await connection.request({ method: 'GET', url: `${at}/${name}` })).json;
  const bothHalves = async (connection, { at }) => ({ found: await Promise.all([half(connection, at, 'first'), half(connection, at, 'second')]) });

  const hooks = {
    'an async function': bothHalves,
    'a plain function that gives a promise': (connection, input) => bothHalves(connection, input),
    'a thenable': (connection, input) => ({ then: (resolve, reject) => bothHalves(connection, input).then(resolve, reject) }),
  };
  for (const [name, hook] of Object.entries(hooks)) {
    test(`may be ${name}, with requests of its own`, async () => {
      const { atom, connection } = await stage(hook);
      const pages = await Promise.all(Array.from({ length: 20 }, () => connection.call('tasks.list', { at: url })));
      for (const page of pages) {
        assert.deepEqual(page.items.map((item) => [item.id, item.title]), [['/first', 'k'], ['/second', 'k']]);
      }
      assert.ok((await connection.usage({})).totals.calls >= 40, 'requests of a hook are counted like any other');
      await atom.shutDown();
    });
  }

  test('may be a plain function', async () => {
    const { atom, connection } = await stage((_, input) => ({ found: [{ id: input.at, name: 'plain' }] }));
    const page = await connection.call('tasks.list', { at: 'here' });
    assert.deepEqual([page.items[0].id, page.items[0].title], ['here', 'plain']);
    await atom.shutDown();
  });

  async function refused(hook) {
    const { atom, connection } = await stage(hook);
    let caught;
    await assert.rejects(connection.call('tasks.list', { at: url }), (error) => {
      caught = error;
      return isAtomError(error);
    });
    await atom.shutDown();
    return caught;
  }

  class Boiled extends Error {}
  const throws = (error) => () => {
    throw error;
  };
  const thrown = {
    throws: [throws(new Boiled(CANARY)), /Boiled/],
    rejects: [async () => throws(new Boiled(CANARY))(), /Boiled/],
    'throws no error': [throws(CANARY), /String/],
    'gives a function': [() => () => {}, /malformed_output/],
    'gives a big integer': [() => 5n, /malformed_output/],
  };
  for (const [name, [hook, text]] of Object.entries(thrown)) {
    test(`that ${name} is an error without its text`, async () => {
      const error = await refused(hook);
      assert.deepEqual([error.code, error.reason, error.retryable], ['provider', 'hook_failed', false]);
      assert.match(error.message, text);
      assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(CANARY));
    });
  }

  test('passes an error of Atom on as it is', async () => {
    const error = await refused((connection) => connection.call('stage.refuse', {}));
    assert.deepEqual([error.code, error.status, error.provider], ['not_found', 404, 'stage']);
    const made = Object.assign(new Error('wait for it'), { name: 'AtomError', code: 'rate_limited', reason: 'album_busy', retryable: true, retryAfter: 7.5 });
    const limited = await refused(async () => throws(made)());
    assert.deepEqual([limited.code, limited.reason, limited.message, limited.retryAfter], ['rate_limited', 'album_busy', 'wait for it', 7.5]);
    const odd = Object.assign(new Error(CANARY), { name: 'AtomError', code: 'weather', reason: 5, retryAfter: 'soon' });
    assert.equal((await refused(throws(odd))).reason, 'hook_failed');
  });

  test('that is missing is refused when opening', async () => {
    const refusal = (error) => error.reason === 'unknown_hook' && ['`stage`', '`tasks.list`', '`both_halves`'].every((name) => error.message.includes(name));
    await assert.rejects(Atom.openWithHooks(options(), { another: bothHalves }), refusal);
    await assert.rejects(Atom.open(options()), refusal);
    for (const wrong of [5, 'both_halves', {}]) {
      await assert.rejects(Atom.openWithHooks(options(), { both_halves: wrong }), (error) => error.reason === 'wrong_arguments');
    }
  });

  test('keeps the event loop free while it waits', async () => {
    const { atom, connection } = await stage(async () => {
      await sleep(100);
      return { found: [] };
    });
    const started = Date.now();
    await Promise.all(Array.from({ length: 50 }, () => connection.call('tasks.list', {})));
    assert.ok(Date.now() - started < 3000);
    await atom.shutDown();
  });

  test('does not keep the process alive', () => {
    const script = `
      const { Atom } = require(${JSON.stringify(join(__dirname, '..'))});
      const options = { databaseUrl: 'memory:' };
      Atom.openWithHooks(options, { one: () => 1 }).then(() => console.log('open'));
    `;
    assert.equal(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20000 }).trim(), 'open');
  });

  test('works in a worker thread, which may end before its hook', async () => {
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { Atom } = require(workerData.atom);
      (async () => {
        const atom = await Atom.openWithHooks(workerData.options, { both_halves: () => (parentPort.postMessage('begun'), new Promise(() => {})) });
        const session = await atom.accounts.signUp({ email: 'ada@example.com', password: 'an engine of brass and thought' });
        const scope = await atom.authenticate(session.accessToken);
        const connection = await scope.connections.connect({ provider: 'stage', fields: { api_key: 'k' } });
        await connection.call('tasks.list', {});
      })();
    `;
    const worker = new Worker(script, { eval: true, workerData: { atom: join(__dirname, '..'), options: options() } });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
  });
});
