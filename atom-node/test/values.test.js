'use strict';

const assert = require('node:assert/strict');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { describe, test } = require('node:test');
const atom = require('..');

const sample = (changes) => ({
  text: 'hello',
  count: 1,
  ratio: 0.5,
  flag: true,
  at: new Date('2026-11-21T08:00:00Z'),
  connection: '01890a5d-ac96-774b-bcce-b302099a8057',
  weight: atom.Weight.Light,
  shape: { type: 'circle', radius: 1.5 },
  tags: [],
  labels: {},
  raw: null,
  content: Buffer.from(''),
  ...changes,
});

const nested = (depth) => (depth === 1 ? [] : [nested(depth - 1)]);
const endless = [];
endless.push(endless);

describe('values', () => {
  test('a record comes back equal, with absent fields left out', async () => {
    const probe = await atom.Probe.start();
    assert.deepEqual(await probe.echo(sample()), sample());
    assert.deepEqual(await probe.echoMany([sample(), sample({ note: 'n' })]), [sample(), sample({ note: 'n' })]);
  });

  test('any JSON comes back unchanged', async () => {
    const probe = await atom.Probe.start();
    for (const raw of [null, true, -1.5, 2 ** 53, '東京', [], {}, { a: [null, { b: 1 }] }, nested(128)]) {
      assert.deepEqual((await probe.echo(sample({ raw }))).raw, raw);
    }
  });

  test('null and undefined are an absent field or argument', async () => {
    const probe = await atom.Probe.start();
    for (const absent of [null, undefined]) {
      assert.deepEqual(await probe.echo(sample({ note: absent })), sample());
      const shape = { type: 'plane' };
      assert.deepEqual((await probe.echo(sample({ shape: { ...shape, label: absent } }))).shape, shape);
      assert.equal(await probe.echoOptional(absent), null);
    }
  });

  test('nothing is undefined', async () => {
    const probe = await atom.Probe.start();
    assert.equal(await probe.nothing(), undefined);
    assert.equal(await probe.echoOptional(), null);
  });
});

describe('wrong arguments', () => {
  const refused = {
    'a number as text': [{ text: 5 }, /Sample\.text/],
    'a missing field': [{ text: undefined }, /Sample\.text/],
    'null for a field that is needed': [{ text: null }, /Sample\.text/],
    'null in a map of texts': [{ labels: { a: null } }, /Sample\.labels/],
    'no JSON at all': [{ raw: undefined }, /Sample\.raw/],
    'a text as number': [{ count: '5' }, /Sample\.count/],
    'a text as truth value': [{ flag: 'yes' }, /Sample\.flag/],
    'a text as date': [{ at: '2026-11-21' }, /Sample\.at/],
    'an invalid date': [{ at: new Date(NaN) }, /invalid Date/],
    'a number as id': [{ connection: 5 }, /Sample\.connection/],
    'an unknown name of an enum': [{ weight: 'heavy' }, /heavy.*Sample\.weight/],
    'an unknown variant': [{ shape: { type: 'square' } }, /square.*Sample\.shape/],
    'a variant without its field': [{ shape: { type: 'circle' } }, /Shape\.radius.*Sample\.shape/],
    'a variant without its name': [{ shape: { radius: 1 } }, /Shape\.type.*Sample\.shape/],
    'a text as list': [{ tags: 'abc' }, /Sample\.tags/],
    'a number in a map of texts': [{ labels: { a: 1 } }, /Sample\.labels/],
    'a text as bytes': [{ content: 'text' }, /Sample\.content/],
    'NaN in JSON': [{ raw: NaN }, /Sample\.raw/],
    'a function in JSON': [{ raw: () => 1 }, /Sample\.raw/],
    'a JSON that nests too deep': [{ raw: nested(129) }, /nesting depth.*Sample\.raw/],
    'a JSON that contains itself': [{ raw: endless }, /nesting depth.*Sample\.raw/],
  };
  for (const [name, [changes, message]] of Object.entries(refused)) {
    test(`${name} is a rejection that names the field`, async () => {
      const probe = await atom.Probe.start();
      await assert.rejects(probe.echo(sample(changes)), (error) => {
        assert.match(error.message, /^Probe\.echo: /);
        assert.match(error.message, message);
        assert.ok(atom.isAtomError(error) && error.cause instanceof Error);
        assert.deepEqual([error.code, error.reason, error.retryable], ['invalid', 'wrong_arguments', false]);
        assert.match(error.stack, /values\.test\.js/);
        return true;
      });
    });
  }

  test('a malformed id is refused with the reason of the core', async () => {
    const probe = await atom.Probe.start();
    const refusal = { name: 'AtomError', code: 'invalid', reason: 'malformed_id', message: /not a ConnectionId/ };
    await assert.rejects(probe.echo(sample({ connection: 'users/1' })), refusal);
  });

  test('missing arguments and foreign receivers are rejections too', async () => {
    const probe = await atom.Probe.start();
    for (const call of [() => probe.echo(), () => probe.wait(), () => probe.fail(5), () => probe.wait.call({}, 1)]) {
      await assert.rejects(call(), { code: 'invalid', reason: 'wrong_arguments' });
    }
  });
});

describe('the package', () => {
  test('objects are instances of their class, which has no constructor', async () => {
    const probe = await atom.Probe.start();
    assert.ok(probe instanceof atom.Probe);
    assert.equal(probe.constructor, atom.Probe);
    assert.equal(atom.Probe.name, 'Probe');
    assert.throws(() => new atom.Probe(), /Probe has no constructor/);
  });

  test('a static method needs no receiver', async () => {
    const { start } = atom.Probe;
    assert.equal((await start()).isStarted, true);
  });

  // An `import` finds only the names that are written down, so index.mjs lists them all.
  test('an import offers the same names as a require', async () => {
    const file = join(__dirname, '..', 'index.mjs');
    const names = Object.keys(atom).sort();
    const text = `import atom from './index.js';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = atom;\n`;
    if (process.env.ATOM_BLESS) writeFileSync(file, text);
    assert.equal(readFileSync(file, 'utf8'), text, 'run the test again with ATOM_BLESS=1 and commit index.mjs');
    const imported = await import('../index.mjs');
    for (const name of names) assert.equal(imported[name], atom[name]);
  });
});
