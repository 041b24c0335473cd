'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { isAtomError, JobError, Probe, RunningJob } = require('..');

const trial = (fields) => ({ kind: 'test', input: null, jobs: 1, ...fields });

/** What comes of jobs with this handler. */
async function outcomes(handler, fields) {
  const probe = await Probe.start();
  return probe.run({ test: handler }, trial(fields));
}

async function outcome(handler, fields) {
  const all = await outcomes(handler, fields);
  assert.equal(all.length, 1);
  return all[0];
}

describe('a handler', () => {
  const echoes = { 'an async function': async (job) => job.input, 'a plain function': (job) => job.input, 'a promise': (job) => Promise.resolve(job.input) };
  for (const [name, handler] of Object.entries(echoes)) {
    test(`may be ${name} and gives back any JSON`, async () => {
      for (const input of [null, true, 2 ** 53 - 1, 0.5, 'naïve 🌍', [1, [2]], { a: { b: [] } }]) {
        assert.deepEqual(await outcome(handler, { input }), { output: input });
      }
    });
  }

  test('may be a thenable that is no promise', async () => {
    assert.deepEqual(await outcome(() => ({ then: (resolve) => resolve('later') })), { output: 'later' });
  });

  test('that returns nothing gives null', async () => {
    assert.deepEqual(await outcome(() => {}), { output: null });
  });

  test('gives what JSON.stringify makes of its output', async () => {
    const output = { at: new Date(0), gone: undefined, own: { toJSON: () => 'mine' } };
    assert.deepEqual(await outcome(() => output), { output: { at: '1970-01-01T00:00:00.000Z', own: 'mine' } });
  });

  test('sees its job', async () => {
    const { output } = await outcome((job) => {
      assert.ok(job instanceof RunningJob);
      assert.equal(job.signal, job.signal);
      return [job.kind, job.input, job.attempt, job.isCancelled, job.signal.aborted, job.id.length, job.workspaceId.length, typeof job.userId];
    }, { input: { to: 'ada' } });
    assert.deepEqual(output, ['test', { to: 'ada' }, 1, false, false, 36, 36, 'string']);
  });

  test('runs 200 times at once', async () => {
    const started = Date.now();
    const all = await outcomes(async (job) => {
      await sleep(300);
      return job.id;
    }, { jobs: 200 });
    assert.ok(Date.now() - started < 5000);
    assert.equal(new Set(all.map(({ output }) => output)).size, 200);
  });

  test('64 at a time, leaves the event loop its turns', async () => {
    let [begun, before, most] = [0, 0, 0];
    const turn = () => {
      most = Math.max(most, begun - before);
      before = begun;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    await outcomes(async () => void begun++, { jobs: 5000, atOnce: 64 });
    clearImmediate(next);
    assert.equal(begun, 5000);
    // napi calls back a thousand times at most before the loop goes on.
    assert.ok(most <= 1064, `${most}`);
  });

  test('must be a function', async () => {
    const probe = await Probe.start();
    for (const handler of [null, 5, 'sendMail', {}]) {
      const refusal = (error) => isAtomError(error) && error.reason === 'wrong_arguments';
      await assert.rejects(probe.run({ test: handler }, trial()), refusal);
    }
  });
});

describe('what a handler throws becomes the failure of the attempt', () => {
  class Boiled extends Error {}
  const atom = (fields) => Object.assign(new Error('slow down'), { name: 'AtomError', code: 'rate_limited', retryable: true, reason: 'quota', ...fields });
  const cases = {
    'an error': [new Boiled('too hot'), { reason: 'Boiled', text: 'too hot', retryable: true }],
    'an error with a name': [new DOMException('too late', 'TimeoutError'), { reason: 'TimeoutError', text: 'too late', retryable: true }],
    'a bare error': [new Error('no'), { reason: 'Error', text: 'no', retryable: true }],
    'a built-in error': [new TypeError('what'), { reason: 'TypeError', text: 'what', retryable: true }],
    'a job error': [new JobError('smtp_refused', 'it said no'), { reason: 'smtp_refused', text: 'it said no', retryable: true }],
    'a final job error': [new JobError('gone', 'no such user', { retryable: false }), { reason: 'gone', text: 'no such user', retryable: false }],
    'a job error that waits': [new JobError('busy', 'later', { retryAfter: 90 }), { reason: 'busy', text: 'later', retryable: true, retryAfter: 90 }],
    'a nonsensical wait': [new JobError('busy', 'later', { retryAfter: -1 }), { reason: 'busy', text: 'later', retryable: true }],
    'an error of Atom': [atom({ retryAfter: 1.5 }), { reason: 'quota', text: 'slow down', retryable: true, retryAfter: 1.5 }],
    'a final error of Atom': [atom({ retryable: false }), { reason: 'quota', text: 'slow down', retryable: false }],
    'a text': ['thrown', { reason: 'String', text: 'thrown', retryable: true }],
    'nothing': [undefined, { reason: 'Error', text: 'undefined', retryable: true }],
    'an object without a text': [Object.create(null), { reason: 'Error', text: 'the handler threw a value that cannot be read', retryable: true }],
  };
  for (const [name, [thrown, expected]] of Object.entries(cases)) {
    test(name, async () => {
      const plain = () => {
        throw thrown;
      };
      assert.deepEqual(await outcome(plain), expected);
      assert.deepEqual(await outcome(async () => plain()), expected);
    });
  }

  test('also from a call inside it', async () => {
    const probe = await Probe.start();
    const failure = { reason: 'probe', text: 'unavailable on purpose', retryable: true, retryAfter: 1.5 };
    assert.deepEqual(await outcome(() => probe.fail('unavailable')), failure);
  });

  test('and what is not JSON is a final failure', async () => {
    const circle = {};
    circle.self = circle;
    for (const output of [1n, circle, () => {}, Symbol('s'), '\ud800']) {
      const { reason, text, retryable } = await outcome(() => output);
      assert.deepEqual([reason, retryable], ['malformed_output', false]);
      assert.ok(text);
    }
  });
});

describe('a cancelled job', () => {
  test('fires its signal', async () => {
    const started = Date.now();
    const all = await outcomes((job) => sleep(60_000, null, { signal: job.signal }), { jobs: 20, cancelAfter: 50 });
    assert.ok(Date.now() - started < 5000);
    assert.deepEqual(all, Array(20).fill({ reason: 'cancelled', text: 'the handler was cancelled', retryable: true }));
  });

  test('fires it at once for one who asks late', async () => {
    const handler = async (job) => {
      await sleep(100);
      return [job.isCancelled, job.signal.aborted];
    };
    assert.deepEqual(await outcome(handler, { cancelAfter: 20 }), { output: [true, true] });
  });

  test('may end in order', async () => {
    const handler = async (job) => {
      await job.cancelled();
      return 'put away';
    };
    assert.deepEqual(await outcome(handler, { cancelAfter: 20 }), { output: 'put away' });
  });

  test('is abandoned if it does not end', async () => {
    const { reason } = await outcome(() => sleep(300), { cancelAfter: 20, abandonAfter: 20 });
    assert.equal(reason, 'abandoned');
  });

  test('that is over before does not fire it', async () => {
    let signal;
    await outcome((job) => void (signal = job.signal));
    await sleep(50);
    assert.equal(signal.aborted, false);
  });
});

test('a job error is an error', () => {
  const error = new JobError('busy', 'come back', { retryAfter: 3 });
  assert.ok(error instanceof Error && !isAtomError(error));
  assert.deepEqual([error.name, error.message, error.reason, error.retryable, error.retryAfter], ['JobError', 'come back', 'busy', true, 3]);
  assert.match(String(error), /^JobError: come back/);
});
