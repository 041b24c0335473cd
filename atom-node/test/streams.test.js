'use strict';

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { describe, test } = require('node:test');
const { isAtomError, Probe } = require('..');

const ticks = async (...args) => (await Probe.start()).countTo(...args);
const all = (stream) => Readable.from(stream).toArray();

describe('for await over a stream', () => {
  test('gives every item and ends', async () => {
    const stream = await ticks(100);
    assert.deepEqual(await all(stream), Array.from({ length: 100 }, (_, index) => index + 1));
    assert.deepEqual(await all(stream), []);
    assert.equal(await stream.next(), null);
  });

  test('may be left and taken up again', async () => {
    const stream = await ticks(5);
    for await (const number of stream) if (number === 2) break;
    assert.deepEqual(await all(stream), [3, 4, 5]);
  });

  test('throws an error of the stream, which goes on', async () => {
    const stream = await ticks(4, 3);
    await assert.rejects(all(stream), (error) => isAtomError(error) && error.code === 'conflict');
    assert.deepEqual(await all(stream), [3, 4]);
  });
});
