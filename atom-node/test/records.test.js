'use strict';

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { Atom, GoogleStandIn } = require('..');

describe("a vendor's record", () => {
  // The stand-in serves for as long as somebody holds it.
  let atom, google, folder, files, id;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'atom-records-'));
    google = await GoogleStandIn.start();
    atom = await Atom.open({ databaseUrl: `sqlite:${folder}/atom.db`, keyFile: `${folder}/atom.key`, createKeyFile: true, providers: [google.app] });
    const session = await atom.accounts.signUp({ email: 'ada@example.test', password: 'an engine of brass' });
    const { connections } = await atom.authenticate(session.accessToken);
    const { url } = await connections.start({ provider: 'google' });
    ({ files } = await connections.complete(await google.approve(url, 'ada@gmail.example')));
    ({ id } = await files.upload({ name: '東京 – notes.txt', content: Buffer.from('Dear Bob') }));
  });

  after(async () => {
    await atom.shutDown();
    rmSync(folder, { recursive: true });
  });

  const read = async () => (await files.get(id)).raw;

  test('is the same value at each look, and can be replaced', async () => {
    const file = await files.get(id);
    assert.equal(file.raw.name, '東京 – notes.txt');
    assert.equal(file.raw, file.raw);
    const replaced = await files.get(id);
    replaced.raw = 'mine';
    assert.deepEqual({ ...replaced }, { ...file, raw: 'mine' });
  });

  test('is a member like the others', async () => {
    const raw = await read();
    const file = () => files.get(id);
    assert.deepEqual(await file(), { ...(await file()), raw });
    assert.deepEqual(structuredClone(await file()).raw, raw);
    assert.deepEqual(JSON.parse(JSON.stringify(await file())).raw, raw);
    assert.deepEqual(Object.assign({}, await file()).raw, raw);
    assert.ok(Object.keys(await file()).includes('raw'));
    assert.equal(Object.getPrototypeOf(await file()), Object.prototype);
    for (const change of [(record) => delete record.raw, (record) => Object.defineProperty(record, 'raw', { value: undefined })]) {
      const changed = await file();
      change(changed);
      assert.equal(changed.raw, undefined);
    }
  });

  test('is found in a frozen record, through a proxy and from an heir', async () => {
    const raw = await read();
    const frozen = Object.freeze(await files.get(id));
    assert.deepEqual([frozen.raw, frozen.raw], [raw, raw]);
    assert.deepEqual(new Proxy(await files.get(id), {}).raw, raw);
    const record = await files.get(id);
    assert.deepEqual([Object.create(record).raw, record.raw], [raw, raw]);
  });

  test('is found in every record of a list', async () => {
    const { items } = await files.list({});
    assert.deepEqual(items.map((file) => file.raw.id), items.map((file) => file.id));
  });
});

test('records are made in every thread, also after others have ended', async () => {
  const sample = {
    text: 'hello', count: 1, ratio: 0.5, flag: true, at: new Date('2026-11-21T08:00:00Z'), connection: '01890a5d-ac96-774b-bcce-b302099a8057',
    weight: 'light', shape: { type: 'circle', radius: 1.5 }, tags: ['a'], labels: { b: 'c' }, raw: null,
  };
  const echo = async (atom) => {
    const probe = await atom.Probe.start();
    const [{ content, ...rest }] = await probe.echoMany([{ ...sample, content: Buffer.from('x') }]);
    return { ...rest, length: content.length };
  };
  const program = `
    const { parentPort, workerData: { atom, sample } } = require('node:worker_threads');
    (${echo})(require(atom)).then((echoed) => parentPort.postMessage(echoed));`;
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(program, { eval: true, workerData: { atom: require.resolve('..'), sample } });
    const echoed = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.deepEqual(echoed, { ...sample, length: 1 });
    await worker.terminate();
    assert.deepEqual(await echo(require('..')), { ...sample, length: 1 });
  }
});
