'use strict';

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { Probe, isAtomError } = require('..');
const { load } = require('../native.js');
const catalogue = require('../../atom-core/testdata/errors.json');

const failure = async (call) => call().then(() => assert.fail('expected a rejection'), (error) => error);

describe('errors', () => {
  for (const { code, retryable } of catalogue) {
    test(`${code} arrives with every field`, async () => {
      const probe = await Probe.start();
      const error = await failure(() => probe.fail(code));
      assert.ok(error instanceof Error && isAtomError(error));
      assert.equal(error.message, `${code} on purpose`);
      assert.match(error.stack, new RegExp(error.message));
      const { name, reason, provider, status, retryAfter } = error;
      assert.deepEqual(
        { name, code: error.code, reason, provider, status, retryAfter, retryable: error.retryable },
        { name: 'AtomError', code, reason: 'probe', provider: 'probe', status: 418, retryAfter: 1.5, retryable },
      );
    });
  }

  test('an error that involves no provider has no such field', async () => {
    const probe = await Probe.start();
    const error = await failure(() => probe.fail('nonsense'));
    assert.equal(error.reason, 'unknown_code');
    assert.ok(!('provider' in error) && !('status' in error) && !('retryAfter' in error));
  });

  test('an error prints its name, text and fields', async () => {
    const probe = await Probe.start();
    const error = await failure(() => probe.fail('conflict'));
    assert.match(inspect(error), /AtomError.*conflict on purpose[^]*reason: 'probe'/);
  });

  test('other errors are not of Atom', () => {
    for (const other of [new Error('no'), { name: 'AtomError', code: 'invalid' }, 'AtomError', null, undefined]) {
      assert.equal(isAtomError(other), false);
    }
  });
});

describe('the loader', () => {
  test('names the file that it looked for', () => {
    assert.throws(() => load('/nowhere'), /no native module for \w+-\w+.*nowhere.atom\.[\w-]+\.node/);
  });

  test('says why a file cannot be loaded', () => {
    const folder = mkdtempSync(join(tmpdir(), 'atom-'));
    try {
      const [, name] = /(atom\.[\w-]+\.node)/.exec(failureOf(() => load(folder)).message);
      writeFileSync(join(folder, name), 'not a library');
      assert.throws(() => load(folder), (error) => /cannot load its native module/.test(error.message) && error.cause instanceof Error);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function failureOf(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  return assert.fail('expected an error');
}
